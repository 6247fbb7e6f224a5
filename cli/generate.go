package cli

// The references of metrics and flags in docs/reference are made from what the program declares.
//
//go:generate go test . -count=1 -run ^TestReference$ -update
