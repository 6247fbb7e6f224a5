package testserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// apiTimeout is the timeout of one call of a server's HTTP API, on a busy machine with few cores.
const apiTimeout = 10 * time.Second

// An httpAPI calls a server's HTTP API.
type httpAPI struct{ addr string }

// URL returns the server's base URL, without a slash at its end.
func (a httpAPI) URL() string { return "http://" + a.addr }

// Addr returns the server's host and port.
func (a httpAPI) Addr() string { return a.addr }

// answers returns nil if the server is ready. Its timeout is short, because it is called repeatedly.
func (a httpAPI) answers() error { return a.call(http.MethodGet, "/-/ready", nil, nil, time.Second) }

// reload makes the server read its configuration again.
func (a httpAPI) reload() error { return a.call(http.MethodPost, "/-/reload", nil, nil, apiTimeout) }

// get decodes the JSON of an answer.
func (a httpAPI) get(path string, answer any) error {
	return a.call(http.MethodGet, path, nil, answer, apiTimeout)
}

// post sends JSON.
func (a httpAPI) post(path string, request any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	return a.call(http.MethodPost, path, body, nil, apiTimeout)
}

// call sends a body, and decodes the answer into answer if that is not nil. A status other than 200 is an error.
func (a httpAPI) call(method, path string, body []byte, answer any, timeout time.Duration) error {
	request, err := http.NewRequest(method, a.URL()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Timeout: timeout}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(text))
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}
