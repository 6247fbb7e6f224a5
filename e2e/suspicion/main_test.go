package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommand(t *testing.T) {
	images := t.TempDir()
	var out, progress bytes.Buffer
	require.Zero(t, execute([]string{"--short", "--images=" + images}, &out, &progress), progress.String())
	for _, text := range []string{
		"### Polls every 15s", "| Nova's rule, 60 s | 6", "### Many die at once", "| 11 of 40 | 5", "### Hosts", "| RabbitMQ frozen for 40 s |", "n = 20 made sources",
	} {
		require.Contains(t, out.String(), text)
	}
	plots, err := os.ReadDir(images)
	require.NoError(t, err)
	require.Len(t, plots, 1)
	for _, args := range [][]string{{"--short=perhaps"}, {"--unknown"}, {"stray"}} {
		require.Equal(t, 2, execute(args, &out, &progress), "%q", args)
	}
	progress.Reset()
	require.Equal(t, 1, execute([]string{"--short", "--images=/nowhere"}, &out, &progress))
	require.Contains(t, progress.String(), "suspicion: writing a plot: ")
}
