package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// NOTICE fits the modules of go.mod.
func TestNotice(t *testing.T) {
	want, err := notice(t.Context())
	require.NoError(t, err)
	got, err := os.ReadFile("../../NOTICE")
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "NOTICE is not up to date: run make generate")
}

func TestLicences(t *testing.T) {
	apache, err := os.ReadFile("../../LICENSE")
	require.NoError(t, err)
	require.Equal(t, []string{"Apache-2.0"}, licencesIn(string(apache)))
	const bsd = "Redistribution and use in source\nand binary forms, with or without modification, are permitted"
	require.Equal(t, []string{"BSD-2-Clause"}, licencesIn(bsd))
	require.Equal(t, []string{"BSD-3-Clause"}, licencesIn(bsd+" ... may be used to\nendorse or promote products"))
	require.Empty(t, licencesIn("All rights reserved."), "a module without a licence that is known is refused")
}
