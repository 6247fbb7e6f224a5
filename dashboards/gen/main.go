// Command gen writes the Grafana dashboards to a folder, as JSON. The files are committed: change the code here and run
// `make generate`.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen FOLDER")
		os.Exit(2)
	}
	if err := writeAll(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// writeAll writes each dashboard to a file with its name.
func writeAll(dir string) error {
	for name, p := range map[string]*page{
		"overview": overview(), "group": group(), "detection": detection(), "exporter": exporter(),
	} {
		d, err := p.build()
		if err != nil {
			return fmt.Errorf("building the dashboard %s: %w", name, err)
		}
		if err := write(filepath.Join(dir, name+".json"), d); err != nil {
			return fmt.Errorf("writing the dashboard %s: %w", name, err)
		}
	}
	return nil
}

// write writes a dashboard without escaping < and >, so that queries are readable in the file.
func write(path string, d document) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}
