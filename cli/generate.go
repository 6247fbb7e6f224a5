package cli

// The reference of metrics and flags is what the program itself declares.
//
//go:generate go test . -count=1 -run ^TestReference$ -update
