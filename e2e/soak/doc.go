// Package soak lets the program serve for an hour while everything around it comes and goes, and checks that nothing grows.
package soak
