// Package soak runs the program while members, groups and sources come and go, and checks that its use of resources does not
// grow.
package soak
