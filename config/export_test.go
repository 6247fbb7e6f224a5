package config

// GoodName is goodName for tests of other packages.
func GoodName(name string) bool { return goodName(name) }
