package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"servicegroup_exporter/drivers"
)

// variable is an environment variable with a secret.
const variable = "SERVICEGROUP_TEST_SECRET"

// alertmanagers is the top of the files in these tests.
type alertmanagers struct {
	Alertmanagers []Alertmanager `yaml:"alertmanagers"`
}

func parseAlertmanagers(name, text string) ([]Alertmanager, error) {
	r := &report{file: name, places: map[string]place{}, unread: map[string]bool{}}
	c := &alertmanagers{}
	d := &decoder{report: r, dir: filepath.Dir(name)}
	if root := document(r, []byte(text)); root != nil {
		d.decode(root, reflectOf(c), "", root.Line)
	}
	setDirectory(reflectOf(c), d.dir)
	for i := range c.Alertmanagers {
		r.section(fmt.Sprintf("alertmanagers[%d]", i), c.Alertmanagers[i].Validate())
	}
	return c.Alertmanagers, r.err()
}

// everything has all settings. Settings that exclude each other are in different elements.
const everything = `
alertmanagers:
- url: https://user:hunter2@am1:9093/prefix/
- url: http://am2:9093
  timeout: 3s
  follow_redirects: false
  enable_http2: no
  basic_auth: {username: u, password_env: SERVICEGROUP_TEST_SECRET}
  tls_config: {ca_file: ca.pem, cert: inline, key: hunter2, server_name: am, min_version: TLS12, max_version: TLS13}
  proxy_url: http://user:hunter2@proxy:3128
  no_proxy: localhost
  proxy_connect_header: {X-Proxy: [hunter2]}
  http_headers:
    X-Scope-OrgID: {values: [tenant, 7]}
    X-Key: {secrets: [hunter2], files: [key, /etc/key]}
- url: http://am3:9093
  oauth2:
    client_id: us
    client_secret_file: oauth.secret
    token_url: https://login/token
    scopes: [alerts]
    endpoint_params: {audience: am}
    claims: {text: a, number: 7, truth: true}
    tls_config: {insecure_skip_verify: true, key_file: k, cert_file: c}
- {url: 'http://am4:9093', authorization: {type: Key, credentials: hunter2}}
- {url: 'http://am5:9093', bearer_token_file: token}
`

func TestAlertmanagers(t *testing.T) {
	t.Setenv(variable, "hunter2")
	got, err := parseAlertmanagers("dir/f.yml", everything)
	require.NoError(t, err)
	require.Len(t, got, 5)

	byDefault := DefaultAlertmanager()
	byDefault.URL = got[0].URL
	require.Equal(t, byDefault, got[0])
	require.Equal(t, "https://am1:9093/prefix", got[0].Name())
	require.Equal(t, drivers.Duration(10*time.Second), got[0].Timeout)
	require.True(t, got[0].FollowRedirects)

	c := got[1]
	require.Equal(t, drivers.Duration(3*time.Second), c.Timeout)
	require.False(t, c.FollowRedirects || c.EnableHTTP2)
	require.Equal(t, &promconfig.BasicAuth{Username: "u", Password: "hunter2"}, c.BasicAuth)
	require.Equal(t, promconfig.TLSConfig{
		CAFile: "dir/ca.pem", Cert: "inline", Key: "hunter2", ServerName: "am",
		MinVersion: promconfig.TLSVersions["TLS12"], MaxVersion: promconfig.TLSVersions["TLS13"],
	}, c.TLSConfig)
	require.Equal(t, "http://user:hunter2@proxy:3128", c.ProxyURL.String())
	require.Equal(t, promconfig.ProxyHeader{"X-Proxy": {"hunter2"}}, c.ProxyConnectHeader)
	require.Equal(t, map[string]promconfig.Header{
		"X-Scope-OrgID": {Values: []string{"tenant", "7"}},
		"X-Key":         {Secrets: []promconfig.Secret{"hunter2"}, Files: []string{"dir/key", "/etc/key"}},
	}, c.HTTPHeaders.Headers)

	o := got[2].OAuth2
	require.Equal(t, "dir/oauth.secret", o.ClientSecretFile)
	require.Equal(t, map[string]any{"text": "a", "number": 7, "truth": true}, o.Claims)
	require.Equal(t, promconfig.TLSConfig{InsecureSkipVerify: true, KeyFile: "dir/k", CertFile: "dir/c"}, o.TLSConfig)
	require.Equal(t, &promconfig.Authorization{Type: "Key", Credentials: "hunter2"}, got[3].Authorization)
	require.Equal(t, &promconfig.Authorization{Type: "Bearer", CredentialsFile: "dir/token"}, got[4].Authorization)
}

// The printed section has no secret, and can be read again.
func TestEffectiveAlertmanagers(t *testing.T) {
	t.Setenv(variable, "hunter2")
	got, err := parseAlertmanagers("dir/f.yml", everything)
	require.NoError(t, err)
	node, err := nodeOf(reflectOf(&alertmanagers{got}))
	require.NoError(t, err)
	text, err := yaml.Marshal(node)
	require.NoError(t, err)
	require.NotContains(t, string(text), "hunter2")
	require.NotContains(t, string(text), "_ref")
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", got, got, got, got), "hunter2")
	require.Contains(t, string(text), `
    - url: http://am2:9093
      timeout: 3s
      basic_auth:
        username: u
        password: <secret>
      tls_config:
        cert: inline
        key: <secret>
        ca_file: dir/ca.pem
        server_name: am
        insecure_skip_verify: false
        min_version: TLS12
        max_version: TLS13
      follow_redirects: false
      enable_http2: false
      proxy_url: http://user:xxxxx@proxy:3128
      no_proxy: localhost
      proxy_connect_header:
        X-Proxy:
            - <secret>
      http_headers:
        X-Key:
            secrets:
                - <secret>
            files:
                - dir/key
                - /etc/key
`)

	again, err := parseAlertmanagers("f.yml", strings.ReplaceAll(string(text), "<secret>", "hunter2"))
	require.NoError(t, err)
	require.Equal(t, got[2], again[2])
	require.Equal(t, got[3], again[3])
}

func TestFingerprintOfAlertmanagers(t *testing.T) {
	t.Setenv(variable, "hunter2")
	first, err := parseAlertmanagers("dir/f.yml", everything)
	require.NoError(t, err)
	fingerprints := func(name, text string) (all []string) {
		got, err := parseAlertmanagers(name, text)
		require.NoError(t, err)
		for i := range got {
			all = append(all, Fingerprint(&got[i]))
		}
		return all
	}
	want := fingerprints("dir/f.yml", everything)
	for i := range first {
		require.Equal(t, want[i], Fingerprint(&first[i]))
	}
	for i, change := range map[int][2]string{
		0: {"user:hunter2@am1", "user:hunter3@am1"},
		1: {"secrets: [hunter2]", "secrets: [hunter3]"},
		2: {"number: 7", "number: 8"},
		3: {"credentials: hunter2", "credentials: hunter3"},
		4: {"bearer_token_file: token", "bearer_token_file: tokens"},
	} {
		got := fingerprints("dir/f.yml", strings.Replace(everything, change[0], change[1], 1))
		require.NotEqual(t, want[i], got[i], change)
		got[i] = want[i]
		require.Equal(t, want, got, change)
	}
	require.NotEqual(t, want[4], fingerprints("other/f.yml", everything)[4], "another file")
}

func TestAlertmanagerWithoutURL(t *testing.T) {
	_, err := parseAlertmanagers("f.yml", "alertmanagers:\n- timeout: 1s\n")
	require.EqualError(t, err, "f.yml:2: alertmanagers[0].url: is missing: write a URL like http://alertmanager:9093")
}

const placeholder = "has a placeholder for a value, as ${NAME} or {{ name }}, which is not replaced here: write the value itself; " +
	"a secret can come from the environment, by KEY_env, or from a file, by KEY_file"

func TestBadAlertmanagers(t *testing.T) {
	t.Setenv(variable, "")
	const at = "f.yml:3: alertmanagers[0]."
	for name, tt := range map[string]struct{ text, want string }{
		"empty":          {"url: ''", at + "url: is missing: write a URL like http://alertmanager:9093"},
		"no scheme":      {"url: am:9093", at + "url: \"am:9093\" is not a URL like http://alertmanager:9093"},
		"not parseable":  {"url: 'http://u:hunter2:x@/%'", at + "url: the value is not a URL like http://host:port"},
		"query":          {"url: 'http://am:9093/?a=b'", at + "url: must end with its path, without ? and #"},
		"API":            {"url: 'http://am:9093/api/v2/alerts'", at + "url: is an address of the server's API: write the URL of its own pages, without /api/v2/alerts"},
		"API v1":         {"url: 'http://am:9093/prefix/api/v1/alerts/'", at + "url: is an address of the server's API: write the URL of its own pages, without /api/v1/alerts/"},
		"API's version":  {"url: 'http://am:9093/api/v2'", at + "url: is an address of the server's API: write the URL of its own pages, without /api/v2"},
		"groups":         {"url: 'http://am:9093/api/v2/alerts/groups'", at + "url: is an address of the server's API: write the URL of its own pages, without /api/v2/alerts/groups"},
		"health":         {"url: 'http://am:9093/-/healthy'", at + "url: is an address of the server's API: write the URL of its own pages, without /-/healthy"},
		"placeholder":    {"url: 'http://${AM}:9093'", at + "url: " + placeholder},
		"password":       {"basic_auth: {username: u, password: '${PW}'}", at + "basic_auth.password: " + placeholder},
		"list":           {"url: [a]", at + "url: must be a single value, not a list"},
		"zero":           {"timeout: 0s", at + "timeout: is 0s, must be positive"},
		"no flag":        {"follow_redirects: maybe", at + "follow_redirects: \"maybe\" is not true or false"},
		"unknown":        {"basic_auht: {}", `f.yml:3: alertmanagers[0]: unknown key "basic_auht"; known are authorization, basic_auth, bearer_token, bearer_token_env, bearer_token_file, enable_http2, follow_redirects, http_headers, no_proxy, oauth2, proxy_connect_header, proxy_from_environment, proxy_url, timeout, tls_config, url; did you mean "basic_auth"?`},
		"unknown inside": {"basic_auth: {user: u}", `f.yml:3: alertmanagers[0].basic_auth: unknown key "user"; known are password, password_env, password_file, username, username_file`},
		"reference":      {"tls_config: {ca_ref: x}", `f.yml:3: alertmanagers[0].tls_config: unknown key "ca_ref"; known are ca, ca_file, cert, cert_file, insecure_skip_verify, key, key_env, key_file, max_version, min_version, server_name`},
		"repeated":       {"tls_config:\n    ca_file: a\n    ca_file: b", `f.yml:5: alertmanagers[0].tls_config: repeated key "ca_file"; it is on line 4 already`},
		"repeated header": {
			"http_headers:\n    X-A: {values: [a]}\n    X-A: {values: [a]}",
			`f.yml:5: alertmanagers[0].http_headers: repeated key "X-A"`,
		},
		"header":          {"http_headers:\n    X-A: {values: [a]}\n    host: {values: [a]}", "f.yml:5: alertmanagers[0].http_headers.host: is a header that the HTTP client sets itself"},
		"TLS version":     {"tls_config: {min_version: '1.2'}", at + "tls_config.min_version: \"1.2\" is not one of TLS10, TLS11, TLS12, TLS13; did you mean \"TLS12\"?"},
		"no TLS version":  {"tls_config: {min_version: TLS13, max_version: TLS12}", at + "tls_config.max_version: is TLS12, less than min_version, which is TLS13"},
		"no key":          {"tls_config: {cert_file: a}", at + "tls_config.key_file: is missing: the certificate needs its key"},
		"no certificate":  {"tls_config: {key: a}", at + "tls_config.cert_file: is missing: the key needs its certificate"},
		"two CAs":         {"tls_config: {ca: a, ca_file: a}", at + "tls_config.ca_file: ca is set too; keep one of them"},
		"two ways":        {"basic_auth: {username: u}\n  bearer_token: hunter2", "f.yml:4: alertmanagers[0].bearer_token: basic_auth is set too; keep one of them"},
		"two passwords":   {"basic_auth: {password: hunter2, password_file: a}", at + "basic_auth.password_file: password is set too; keep one of them"},
		"twice":           {"basic_auth: {password: hunter2, password_env: HOME}", at + `basic_auth.password_env: "password" on line 3 sets the same secret; keep one of them`},
		"empty variable":  {"basic_auth: {password_env: " + variable + "}", at + `basic_auth.password_env: environment variable "` + variable + `" is empty`},
		"basic":           {"authorization: {type: Basic, credentials: hunter2}", at + "authorization.type: is \"Basic\": write basic_auth with username and password instead"},
		"two credentials": {"authorization: {credentials: hunter2, credentials_file: a}", at + "authorization.credentials_file: credentials is set too; keep one of them"},
		"user twice":      {"url: http://u:hunter2@am\n  basic_auth: {username: u}", at + "url: has a user, and there is another authentication setting; keep one of them"},
		"OAuth2": {
			"oauth2: {token_url: 'http://u:hunter2@login'}",
			at + "oauth2.client_id: is missing\n" + at + "oauth2.token_url: must be a URL like https://login.example.com/token, without a user",
		},
		"OAuth2's algorithm": {
			"oauth2: {client_id: a, token_url: 'http://a', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', signature_algorithm: none}",
			"f.yml:3: alertmanagers[0]: valid signature algorithms are RS256, RS384 and RS512",
		},
		"claim":           {"oauth2: {client_id: a, token_url: 'http://a', claims: {a: [b]}}", at + "oauth2.claims.a: must be a single value, not a list"},
		"proxy":           {"proxy_url: 'proxy:3128'", at + "proxy_url: \"proxy:3128\" is not a URL like http://proxy:3128"},
		"two proxies":     {"proxy_url: http://u:hunter2@p\n  proxy_from_environment: true", "f.yml:4: alertmanagers[0].proxy_from_environment: proxy_url is set too; keep one of them"},
		"no proxy":        {"no_proxy: a", at + "no_proxy: has no effect without proxy_url"},
		"header of none":  {"proxy_connect_header: {a: [hunter2]}", at + "proxy_connect_header: has no effect without proxy_url"},
		"proxies of both": {"proxy_from_environment: true\n  no_proxy: a", "f.yml:4: alertmanagers[0].no_proxy: can't be set together with proxy_from_environment"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "alertmanagers:\n-\n  " + tt.text + "\n"
			if !strings.HasPrefix(tt.text, "url:") {
				text += "  url: http://am:9093\n"
			}
			_, err := parseAlertmanagers("f.yml", text)
			require.EqualError(t, err, tt.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
