// Package evidence tests what other programs read about hosts that are down: the real program's answers, as its JSON Schemas describe
// them.
package evidence
