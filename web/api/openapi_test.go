package api

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"
)

// loadSpecification reads the OpenAPI file once for all tests.
var loadSpecification = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(specification)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(openapi3.NewLoader().Context)
})

// validate checks an answer, and the request if it succeeded, against the OpenAPI file. The answers of unknown paths have to
// be errors as on the known paths.
func validate(t testing.TB, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	doc, err := loadSpecification()
	require.NoError(t, err)
	path, params := r.URL.Path, map[string]string{}
	if group, ok := strings.CutPrefix(path, "/sd/"); ok {
		path, params["group"] = "/sd/{group}", group
	}
	item := doc.Paths.Value(path)
	if item == nil {
		require.Equal(t, http.StatusNotFound, w.Code, "%s is not in the OpenAPI file", r.URL)
		item = doc.Paths.Value("/api/v1/sources")
	}
	route := &routers.Route{Spec: doc, Path: path, PathItem: item, Method: http.MethodGet, Operation: item.Get}
	request := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}, // The server in front of the API asks for it.
	}
	if w.Code == http.StatusOK {
		require.NoError(t, openapi3filter.ValidateRequest(t.Context(), request))
	}
	if kind := w.Header().Get("Content-Type"); kind != "application/json" {
		require.Contains(t, item.Get.Responses.Status(w.Code).Value.Content, kind)
		return
	}
	require.NoError(t, openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request,
		Status:                 w.Code,
		Header:                 w.Header(),
		Body:                   io.NopCloser(bytes.NewReader(unzip(t, w))),
	}))
}

// The file has exactly the paths that are served, each with its parameters.
func TestSpecificationIsComplete(t *testing.T) {
	doc, err := loadSpecification()
	require.NoError(t, err)
	served := make(map[string][]string)
	for _, r := range (&api{}).routes() {
		served[strings.ReplaceAll(r.path, "...", "")] = slices.Sorted(slices.Values(r.params))
	}
	written := make(map[string][]string)
	for path, item := range doc.Paths.Map() {
		params := []string(nil)
		for _, p := range item.Get.Parameters {
			switch name := p.Value.Name; {
			case p.Value.In != openapi3.ParameterInQuery:
			case name == "label":
				params = append(params, labelPrefix+anyName)
			default:
				params = append(params, name)
			}
		}
		slices.Sort(params)
		written[path] = params
	}
	require.Equal(t, served, written)
}

// The page about the API has every path with its parameters.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	require.NoError(t, err)
	for _, r := range (&api{}).routes() {
		if r.path == "/api/v1/openapi.yaml" || !strings.HasPrefix(r.path, "/api/") {
			continue
		}
		params := ""
		if len(r.params) > 0 {
			params = "`" + strings.Join(r.params, "`, `") + "` "
		}
		require.Contains(t, string(text), "\n| `"+r.path+"` | "+params+"| ")
	}
}

// An answer with a field that the file does not have is refused.
func TestSpecificationIsStrict(t *testing.T) {
	doc, err := loadSpecification()
	require.NoError(t, err)
	for path, item := range doc.Paths.Map() {
		for status, response := range item.Get.Responses.Map() {
			content := response.Value.Content["application/json"]
			if content == nil {
				continue
			}
			requireStrict(t, path+" "+status, content.Schema.Value)
		}
	}
}

func requireStrict(t *testing.T, where string, s *openapi3.Schema) {
	t.Helper()
	if s.Type.Is("array") {
		requireStrict(t, where+"[]", s.Items.Value)
	}
	if !s.Type.Is("object") || strings.HasSuffix(where, ".labels") || strings.HasSuffix(where, ".annotations") {
		return // The client, or the configuration, chooses the names.
	}
	require.NotNil(t, s.AdditionalProperties.Has, where)
	require.False(t, *s.AdditionalProperties.Has, where)
	for name, property := range s.Properties {
		requireStrict(t, where+"."+name, property.Value)
	}
}
