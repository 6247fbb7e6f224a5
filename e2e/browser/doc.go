// Package browser tests the pages: a headless Chromium opens the pages of the real program, which reads a real store.
package browser
