package evidence

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// patience bounds each wait, on a busy machine.
const patience = time.Minute

// An answer is what a test reads of the answer about hosts.
type answer struct {
	Summary struct {
		Hosts             struct{ Total, Up, Down, Unknown, Suspected int }
		AllSourcesCurrent bool `json:"all_sources_current"`
	}
	Hosts []struct {
		Host, State, Certainty string
		Retained               bool
		Members                []struct{ Group, Cause string }
	}
}

// A validator checks documents against a JSON Schema.
type validator struct {
	t      *testing.T
	schema *jsonschema.Schema
}

// newValidator compiles a schema, with its formats.
func newValidator(t *testing.T, text []byte) *validator {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("schema.json", parsed))
	schema, err := c.Compile("schema.json")
	require.NoError(t, err)
	return &validator{t, schema}
}

func (v *validator) validate(text []byte) error {
	v.t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(v.t, err)
	return v.schema.Validate(document)
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", text)
	return text
}

// serve starts the program, and returns its URL.
func serve(t *testing.T, configuration string) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	require.NoError(t, os.WriteFile(config, []byte(configuration), 0o600))
	address := fmt.Sprintf("127.0.0.1:%d", testserver.Port(t))
	testserver.Program(t, "exporter", []string{
		testserver.ExporterPath(t), "--config.file=" + config, "--storage.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address,
	}, func() error { return testserver.ExporterReady(address) })
	return "http://" + address
}

// Each answer of the real program is as its JSON Schema says: while all is well, while a host is suspected, when its death is confirmed, and
// while a source can't be read.
func TestAnswersAreAsTheirSchemaSays(t *testing.T) {
	nova, neutron := newTable(t, "nova"), newTable(t, "neutron")
	for _, host := range []string{"c1", "c2", "c3"} {
		nova.add("compute", host)
		neutron.add("agent", host+".example.org")
	}
	nova.beat()
	neutron.beat()
	url := serve(t, "sources:\n"+nova.source()+neutron.source())
	v := newValidator(t, get(t, url+"/api/v1/hosts.schema.json"))
	eventually := func(what, query string, is func(a *answer) bool) {
		t.Helper()
		var last []byte
		for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			last = get(t, url+"/api/v1/hosts?"+query)
			require.NoError(t, v.validate(last), "%s", last)
			if a := decode[answer](t, last); is(a) {
				return
			}
			if time.Now().After(end) {
				require.FailNow(t, what, "%s", last)
			}
		}
	}
	eventually("all report", "", func(a *answer) bool { return a.Summary.Hosts.Up == 3 && a.Summary.AllSourcesCurrent })
	nova.learned(url)
	neutron.learned(url)

	nova.dies("c1")
	neutron.dies("c1.example.org")
	eventually("suspected", "host=c1", func(a *answer) bool { return a.Hosts[0].Certainty == "suspected" })
	nova.run("UPDATE rows SET beat = 0 WHERE host = 'c1'")
	neutron.run("UPDATE rows SET beat = 0 WHERE host = 'c1.example.org'")
	eventually("confirmed", "state=down", func(a *answer) bool {
		return len(a.Hosts) == 1 && a.Hosts[0].Certainty == "confirmed" && a.Hosts[0].Members[0].Cause == "host" && a.Hosts[0].Members[1].Cause == "host"
	})
	nova.run("UPDATE rows SET alive = 0, beat = 0 WHERE host = 'c2'")
	eventually("a process", "host=c2", func(a *answer) bool { return a.Hosts[0].State == "up" && a.Hosts[0].Members[1].Cause == "process" })
	neutron.run("DROP VIEW members")
	eventually("an unreadable source", "", func(a *answer) bool {
		return !a.Summary.AllSourcesCurrent && a.Hosts[0].Host == "c1" && a.Hosts[0].Retained && a.Summary.Hosts.Unknown == 1
	})
}

// A schema that allowed everything would test nothing.
func TestSchemaRefusesOtherAnswers(t *testing.T) {
	table := newTable(t, "nova")
	table.add("compute", "c1")
	url := serve(t, "sources:\n"+table.source())
	v := newValidator(t, get(t, url+"/api/v1/hosts.schema.json"))
	good := get(t, url+"/api/v1/hosts")
	require.NoError(t, v.validate(good))
	for from, to := range map[string]string{
		`"version":1`:              `"version":2`,
		`"total":1,"hosts":[`:      `"total":"1","hosts":[`,
		`"state":"up"`:             `"state":"dead"`,
		`"retained":false`:         `"kept":false`,
		`"most_hosts_down":false`:  `"most_hosts_down":null`,
		`"last_proof_of_life":"20`: `"last_proof_of_life":"AD 20`,
		`"in_service":true`:        `"in_service":"yes"`,
		`"suspected":0`:            `"suspected":-1`,
	} {
		require.Contains(t, string(good), from)
		require.Error(t, v.validate(bytes.Replace(good, []byte(from), []byte(to), 1)), "%s", to)
	}
	require.NoError(t, v.validate(bytes.Replace(good, []byte(`"version":1`), []byte(`"version":1,"added_later":true`), 1)))
}
