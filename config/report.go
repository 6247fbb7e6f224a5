package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"servicegroup_exporter/drivers"
)

// A report collects everything that is wrong with a file.
type report struct {
	file     string
	problems []problem
	// places tells where each setting was written, by the setting's path.
	places map[string]place
	// unread are the paths of settings whose value could not be used.
	unread map[string]bool
}

// A place is where a setting was written, and under which path: a secret may have come from a key of another name.
type place struct {
	line int
	path string
}

// A problem is one thing that is wrong: line zero is unknown, the empty path is the whole file.
type problem struct {
	line int
	path string
	text string
}

// addf notes what is wrong at a line.
func (r *report) addf(line int, path, format string, args ...any) {
	r.problems = append(r.problems, problem{line, path, fmt.Sprintf(format, args...)})
}

// unreadf notes that a setting's value can't be used, so that nothing else is said about it.
func (r *report) unreadf(line int, path, format string, args ...any) {
	r.addf(line, path, format, args...)
	r.unread[path] = true
}

// settingf notes what is wrong with a setting, at its own line or, when it is absent, at that of the nearest section
// around it. What could not even be read, or is around or in such a thing, has been told about already.
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

// section notes what is wrong with a section.
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

// err joins the problems in the order of their lines. Each is one line, whatever it quotes.
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

// join gives the path of a setting in a section.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// within says whether a path is that of another, or of something in it.
func within(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && (rest == "" || other == "" || rest[0] == '.' || rest[0] == '[')
}

// parent gives the path of what a setting is in, as "a" for both "a.b" and "a[0]".
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}
