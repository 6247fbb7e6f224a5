// Package browser has the tests of the pages: a real headless Chromium looks at the real program, which reads a real
// store. They are a module of their own, so that what drives a browser is no dependency of the program.
package browser
