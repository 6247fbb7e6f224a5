package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"servicegroup_exporter/drivers"
)

// A report collects the mistakes of a file.
type report struct {
	file     string
	problems []problem
	// places has the place of each setting, by the setting's path.
	places map[string]place
	// unread has the paths of settings whose values could not be read.
	unread map[string]bool
}

// A place is the line of a setting and the path of its key. The key of a secret may have another name than the secret.
type place struct {
	line int
	path string
}

// A problem is one mistake. Line 0 is unknown, and the empty path is the whole file.
type problem struct {
	line int
	path string
	text string
}

// addf adds a mistake at a line.
func (r *report) addf(line int, path, format string, args ...any) {
	r.problems = append(r.problems, problem{line, path, fmt.Sprintf(format, args...)})
}

// unreadf adds a mistake in a value that can't be read, so that no other mistake of this setting is reported.
func (r *report) unreadf(line int, path, format string, args ...any) {
	r.addf(line, path, format, args...)
	r.unread[path] = true
}

// settingf adds a mistake of a setting, at its own line or, if the setting is absent, at the line of the nearest section
// around it. It adds nothing about a setting that could not be read, or that contains or is inside one: that was reported.
func (r *report) settingf(path, format string, args ...any) {
	at := place{path: path}
	for p := path; ; p = parent(p) {
		if found, ok := r.places[p]; ok {
			at.line = found.line
			if p == path {
				at.path = found.path
			}
			break
		}
		if p == "" {
			break
		}
	}
	for path := range r.unread {
		if within(at.path, path) || within(path, at.path) {
			return
		}
	}
	r.addf(at.line, at.path, format, args...)
}

// section adds the mistakes of a section.
func (r *report) section(path string, err error) {
	for _, e := range fieldErrors(path, err) {
		r.settingf(e.Field, "%v", e.Err)
	}
}

// fieldErrors takes apart an error about the section at a path: joined errors, and [drivers.FieldError]s in one another.
// The path of each error that it returns begins at the top of the file.
func fieldErrors(path string, err error) []*drivers.FieldError {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*drivers.FieldError
		for _, e := range joined.Unwrap() {
			all = append(all, fieldErrors(path, e)...)
		}
		return all
	}
	if field := drivers.FieldOf(err); field != nil {
		return fieldErrors(join(path, field.Field), field.Err)
	}
	return []*drivers.FieldError{{Field: path, Err: err}}
}

// err joins the mistakes in the order of their lines. Each is one line of text, even if it quotes several.
func (r *report) err() error {
	slices.SortStableFunc(r.problems, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	errs := make([]error, len(r.problems))
	for i, p := range r.problems {
		text := r.file + ": "
		if p.line > 0 {
			text = fmt.Sprintf("%s:%d: ", r.file, p.line)
		}
		if p.path != "" {
			text += p.path + ": "
		}
		errs[i] = errors.New(text + strings.ReplaceAll(p.text, "\n", " "))
	}
	return errors.Join(errs...)
}

// join returns the path of a setting in a section.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// within reports whether a path is equal to another, or inside it.
func within(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && (rest == "" || other == "" || rest[0] == '.' || rest[0] == '[')
}

// parent returns the path of what contains a setting, as "a" for both "a.b" and "a[0]".
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}
