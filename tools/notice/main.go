// Notice writes the file NOTICE: the licences and copyright notices of Go and of every module that is linked into the program,
// as their licences require. It reads them from the module cache.
//
//	go run ./tools/notice >NOTICE
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	text, err := notice(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "notice: "+err.Error())
		os.Exit(1)
	}
	_, _ = os.Stdout.Write(text)
}

const introduction = `servicegroup_exporter
Copyright 2026 The servicegroup_exporter Authors
Licensed under the Apache License, Version 2.0: see the file LICENSE.

The program contains these Go modules and Go's standard library. Their licences and notices follow. The source of each is at
https://pkg.go.dev/MODULE@VERSION.

`

// architectures are the architectures of releases, as in tools/release. What is linked depends on them.
func architectures() []string { return []string{"amd64", "arm64", "ppc64le"} }

// A module is one that is linked into the program.
type module struct {
	name, version, dir string
	// files are the licences and notices in the folders of its linked packages and in those above, by name.
	files map[string]string
}

// notice returns the text of the file NOTICE.
func notice(ctx context.Context) ([]byte, error) {
	modules, err := linked(ctx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(introduction)
	users := map[string][]string{} // of each text
	var texts []string             // in the order of their first users
	for _, m := range modules {
		licences := map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(m.files)) {
			text := m.files[name]
			for _, l := range licencesIn(text) {
				licences[l] = true
			}
			if users[text] == nil {
				texts = append(texts, text)
			}
			users[text] = append(users[text], m.name+" "+name)
		}
		if len(licences) == 0 {
			return nil, fmt.Errorf("%s has no file with a licence that is known: add its licence to this program, or do without the module", m.name)
		}
		fmt.Fprintf(&b, "  %-46s %-40s %s\n", m.name, m.version, strings.Join(slices.Sorted(maps.Keys(licences)), ", "))
	}
	for _, text := range texts {
		line := strings.Repeat("-", 80)
		fmt.Fprintf(&b, "\n%s\n%s:\n\n%s\n", line, strings.Join(users[text], "\n"), strings.Trim(text, "\n"))
	}
	return b.Bytes(), nil
}

// linked returns Go and the modules that are linked into the program on any architecture, by name.
func linked(ctx context.Context) ([]*module, error) {
	found := map[string]*module{}
	for _, arch := range architectures() {
		if err := addLinked(ctx, arch, found); err != nil {
			return nil, fmt.Errorf("listing the packages of %s: %w", arch, err)
		}
	}
	std, err := standardLibrary(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the licence of Go: %w", err)
	}
	found[std.name] = std
	return slices.SortedFunc(maps.Values(found), func(a, b *module) int { return cmp.Compare(a.name, b.name) }), nil
}

func addLinked(ctx context.Context, arch string, found map[string]*module) error {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Dir,Module", "servicegroup_exporter")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	for list := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir    string
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := list.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if p.Module == nil || p.Module.Main {
			continue
		}
		m := found[p.Module.Path]
		if m == nil {
			m = &module{p.Module.Path, p.Module.Version, p.Module.Dir, map[string]string{}}
			found[m.name] = m
		}
		if err := m.addFiles(p.Dir); err != nil {
			return err
		}
	}
}

// standardLibrary returns Go, whose standard library and runtime are in every program. Its version is that of go.mod, so that a
// patch release of Go does not change the file.
func standardLibrary(ctx context.Context) (*module, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	version, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.GoVersion}}", "servicegroup_exporter").Output()
	if err != nil {
		return nil, err
	}
	m := &module{"std", "go" + strings.TrimSpace(string(version)), strings.TrimSpace(string(root)), map[string]string{}}
	return m, m.addFiles(m.dir)
}

// noticeFiles matches the names of files with licences, notices and owners of copyrights.
var noticeFiles = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|authors)([.-].*)?$`)

// addFiles adds the files of a folder of the module, and of the folders above it.
func (m *module) addFiles(dir string) error {
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(m.dir, dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if entry.Type() != 0 || !noticeFiles.MatchString(entry.Name()) || strings.HasSuffix(entry.Name(), ".go") {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			if err != nil {
				return err
			}
			m.files[path.Join(filepath.ToSlash(below), entry.Name())] = strings.ReplaceAll(string(data), "\r\n", "\n")
		}
		if below == "." {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

// licencesIn returns the SPDX identifiers of the licences that a text has. The BSD licences have the same beginning.
func licencesIn(text string) (found []string) {
	words := strings.ToLower(strings.Join(strings.Fields(text), " "))
	for _, l := range []struct{ name, text string }{
		{"Apache-2.0", "apache license"},
		{"MIT", "free of charge, to any person obtaining a copy"},
		{"MPL-2.0", "mozilla public license version 2.0"},
		{"BSD-3-Clause", "be used to endorse or promote products"},
	} {
		if strings.Contains(words, l.text) {
			found = append(found, l.name)
		}
	}
	if strings.Contains(words, "redistribution and use in source and binary forms") && !slices.Contains(found, "BSD-3-Clause") {
		found = append(found, "BSD-2-Clause")
	}
	return found
}
