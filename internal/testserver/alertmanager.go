package testserver

import (
	"fmt"
	"path/filepath"
	"time"
)

// AM is a real Alertmanager, a cluster of one.
type AM struct {
	*Process
	httpAPI
	config string // the path of its configuration
}

// An Alert is one alert, as it is posted to Alertmanager. Alertmanager sets missing times.
type Alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt,omitzero"`
	EndsAt       time.Time         `json:"endsAt,omitzero"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// A StoredAlert is an alert, as Alertmanager returns it.
type StoredAlert struct {
	Alert
	Fingerprint string      `json:"fingerprint"`
	Status      AlertStatus `json:"status"`
	Receivers   []struct {
		Name string `json:"name"`
	} `json:"receivers"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// AlertStatus is whether Alertmanager notifies about an alert, and if not, why.
type AlertStatus struct {
	State       string   `json:"state"`       // unprocessed, active or suppressed
	InhibitedBy []string `json:"inhibitedBy"` // fingerprints of alerts
	SilencedBy  []string `json:"silencedBy"`  // ids of silences
}

// Alertmanager starts an Alertmanager with the text of its alertmanager.yml, in which paths must be absolute; args are
// added to its command line.
func Alertmanager(t TB, config string, args ...string) *AM {
	t.Helper()
	return AlertmanagerAt(t, alertmanager(t), config, args...)
}

// AlertmanagerAt starts an Alertmanager whose program is at a path.
func AlertmanagerAt(t TB, daemon, config string, args ...string) *AM {
	t.Helper()
	a, argv := newAlertmanager(t, daemon, config, loopback(Port(t)))
	a.Process = newProcess(t, "alertmanager", filepath.Dir(a.config), append(argv, args...), a.answers)
	return a
}

// AlertmanagerOn starts an Alertmanager that listens on an address of this machine, with a port.
func AlertmanagerOn(t TB, addr, config string) *AM {
	t.Helper()
	a, argv := newAlertmanager(t, alertmanager(t), config, addr)
	a.Process = newProcess(t, "alertmanager", filepath.Dir(a.config), argv, a.answers)
	return a
}

// AlertmanagerTLS starts an Alertmanager with TLS that requires a client certificate of the authority.
func AlertmanagerTLS(t TB, config string, authority *Authority, certificate *Certificate) *AM {
	t.Helper()
	a, argv := newAlertmanager(t, alertmanager(t), config, loopback(Port(t)))
	web := filepath.Join(filepath.Dir(a.config), "web.yml")
	configure(t, web, fmt.Sprintf("tls_server_config: {cert_file: %q, key_file: %q, client_ca_file: %q, client_auth_type: %s}\n",
		certificate.CertFile, certificate.KeyFile, authority.File, "RequireAndVerifyClientCert"))
	ready := func() error { return accepts(a.Addr()) }
	a.Process = newProcess(t, "alertmanager", filepath.Dir(a.config), append(argv, "--web.config.file="+web), ready)
	return a
}

// newAlertmanager returns an Alertmanager that has not been started, and its command line.
func newAlertmanager(t TB, daemon, config, addr string) (*AM, []string) {
	t.Helper()
	dir := TempDir(t)
	a := &AM{httpAPI: httpAPI{addr}, config: filepath.Join(dir, "alertmanager.yml")}
	configure(t, a.config, config)
	return a, []string{
		daemon, "--config.file=" + a.config, "--storage.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + a.Addr(), "--cluster.listen-address=", "--log.level=warn",
	}
}

// alertmanager returns the path of the Alertmanager that is to be tested.
func alertmanager(t TB) string {
	t.Helper()
	return released(t, "alertmanager", "prometheus-alertmanager")
}

// Amtool returns the path of amtool.
func Amtool(t TB) string { t.Helper(); return find(t, "amtool", "prometheus-alertmanager") }

// Reload replaces Alertmanager's configuration, and makes Alertmanager read it.
func (a *AM) Reload(config string) {
	a.t.Helper()
	configure(a.t, a.config, config)
	if err := a.reload(); err != nil {
		a.t.Fatalf("reloading alertmanager: %v", err)
	}
}

// Post sends alerts in one request.
func (a *AM) Post(alerts ...Alert) {
	a.t.Helper()
	if err := a.post("/api/v2/alerts", alerts); err != nil {
		a.t.Fatalf("alertmanager: %v", err)
	}
}

// Alerts returns the alerts that have not ended, including suppressed ones.
func (a *AM) Alerts() []StoredAlert {
	a.t.Helper()
	var alerts []StoredAlert
	if err := a.get("/api/v2/alerts", &alerts); err != nil {
		a.t.Fatalf("alertmanager: %v", err)
	}
	return alerts
}
