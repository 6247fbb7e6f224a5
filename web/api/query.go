package api

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A query is what a request asks for: parameters that its path knows, each given once. One that is empty counts as not
// given, since no name is empty.
type query map[string]string

// anyName ends the name of a parameter that is many: any text may take its place.
const anyName = "NAME"

// parseQuery reads the parameters of a request, of which its path knows some. A group that is part of the path itself
// becomes one of them.
func parseQuery(r *http.Request, known []string) (query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("the query can't be read: %w", err)
	}
	q := make(query)
	for name, given := range values {
		switch {
		case !slices.ContainsFunc(known, func(k string) bool { return stands(k, name) }):
			return nil, badRequest("unknown parameter %q: %s", name, knownParams(known))
		case len(given) > 1:
			return nil, badRequest("parameter %q was given %d times", name, len(given))
		default:
			q[name] = given[0]
		}
	}
	if group := r.PathValue("group"); group != "" {
		q["group"] = group
	}
	for name, value := range q {
		if !utf8.ValidString(value) {
			return nil, badRequest("parameter %q is not UTF-8: %q", name, value)
		}
	}
	maps.DeleteFunc(q, func(_, value string) bool { return value == "" })
	return q, nil
}

// stands tells whether a parameter that a path knows stands for one that was given.
func stands(known, given string) bool {
	prefix, many := strings.CutSuffix(known, anyName)
	return known == given || many && strings.HasPrefix(given, prefix)
}

func knownParams(known []string) string {
	if len(known) == 0 {
		return "this path takes none"
	}
	return "this path takes " + strings.Join(known, ", ")
}

// number gives a parameter that is a whole number and not negative.
func (q query) number(name string, byDefault int64) (int64, error) {
	text, ok := q[name]
	if !ok {
		return byDefault, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, badRequest("%s=%q is not a whole number like 100", name, text)
	}
	return n, nil
}

// oneOf gives a parameter that is one of a few words, or empty.
func (q query) oneOf(name string, words ...string) (string, error) {
	word, ok := q[name]
	if ok && !slices.Contains(words, word) {
		return "", badRequest("%s=%q is none of %s", name, word, strings.Join(words, ", "))
	}
	return word, nil
}

// required checks that parameters were given.
func (q query) required(names ...string) error {
	for _, name := range names {
		if q[name] == "" {
			return badRequest("parameter %q is missing", name)
		}
	}
	return nil
}

// window gives which part of a list is wanted.
func (q query) window() (offset, limit int64, err error) {
	if offset, err = q.number("offset", 0); err != nil {
		return 0, 0, err
	}
	limit, err = q.number("limit", math.MaxInt64)
	return offset, limit, err
}

// A statusError is an error with the HTTP status that tells it.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }

func (e *statusError) Unwrap() error { return e.err }

func badRequest(format string, args ...any) error {
	return &statusError{http.StatusBadRequest, fmt.Errorf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &statusError{http.StatusNotFound, fmt.Errorf(format, args...)}
}

func unavailable(format string, args ...any) error {
	return &statusError{http.StatusServiceUnavailable, fmt.Errorf(format, args...)}
}
