package api

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"servicegroup_exporter/internal/suggest"
)

// A query has the parameters of a request. Each is known to the path and given once. An empty parameter counts as not given,
// because no name is empty.
type query map[string]string

// anyName at the end of the name of a parameter stands for any text.
const anyName = "NAME"

// parseQuery parses the parameters of a request. A group in the path becomes the parameter "group".
func parseQuery(r *http.Request, known []string) (query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("parsing the query: %w", err)
	}
	q := make(query)
	for name, given := range values {
		switch {
		case !slices.ContainsFunc(known, func(k string) bool { return matchesParam(k, name) }):
			return nil, badRequest("unknown parameter %q: %s%s", name, knownParams(known), suggest.Hint(name, known))
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

// matchesParam reports whether a given parameter is the known one, or one of those that the known one stands for.
func matchesParam(known, given string) bool {
	prefix, many := strings.CutSuffix(known, anyName)
	return known == given || many && strings.HasPrefix(given, prefix)
}

func knownParams(known []string) string {
	if len(known) == 0 {
		return "this path has no parameters"
	}
	return "the parameters of this path are " + strings.Join(known, ", ")
}

// number returns a parameter that is a non-negative integer.
func (q query) number(name string, byDefault int64) (int64, error) {
	text, ok := q[name]
	if !ok {
		return byDefault, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, badRequest("%s=%q is not a non-negative integer", name, text)
	}
	return n, nil
}

// oneOf returns a parameter that is one of these words, or an empty string.
func (q query) oneOf(name string, words ...string) (string, error) {
	word, ok := q[name]
	if ok && !slices.Contains(words, word) {
		return "", badRequest("parameter %q: %w", name, suggest.NotOneOf(word, words))
	}
	return word, nil
}

// required returns an error if one of these parameters is missing.
func (q query) required(names ...string) error {
	for _, name := range names {
		if q[name] == "" {
			return badRequest("parameter %q is missing", name)
		}
	}
	return nil
}

// window returns the part of a list that the query asks for, which has at most byDefault elements without a limit.
func (q query) window(byDefault int64) (offset, limit int64, err error) {
	if offset, err = q.number("offset", 0); err != nil {
		return 0, 0, err
	}
	limit, err = q.number("limit", byDefault)
	return offset, limit, err
}

// A statusError is an error with the HTTP status of its answer.
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
