package packaging

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
)

// A pod runs the program as a StatefulSet describes its container: with its arguments, environment, user and files in the root folder
// of the image. Secrets and other volumes are folders there, which are replaced as the kubelet replaces them.
type pod struct {
	t         *testing.T
	container core.Container
	address   string
	root      string
	secrets   map[string]map[string]string // the files of each Secret
}

// startPod runs what the chart renders, with the Secrets that exist besides the chart's own.
func startPod(t *testing.T, manifests []string, secrets map[string]map[string]string) *pod {
	t.Helper()
	require.Zero(t, os.Geteuid(), "changing the root folder and the user needs root: run make test-packaging as root, or with sudo")
	set := find[*apps.StatefulSet](t, manifests)
	spec := set.Spec.Template.Spec
	p := &pod{t: t, container: spec.Containers[0], address: freeAddress(t), root: t.TempDir(), secrets: secrets}
	for _, secret := range all[*core.Secret](t, manifests) {
		p.secrets[secret.Name] = secret.StringData
	}
	shell(t, "..", "make build BUILDFLAGS=-trimpath OUTPUT="+p.root+"/usr/bin/servicegroup_exporter")
	require.NoError(t, os.Chmod(p.root, 0o755))
	mounts := map[string]string{}
	for _, m := range p.container.VolumeMounts {
		mounts[m.Name] = filepath.Join(p.root, m.MountPath)
	}
	state := mounts["state"]
	require.NoError(t, os.MkdirAll(state, 0o755))
	require.NoError(t, os.Chown(state, 0, int(*spec.SecurityContext.FSGroup)))
	require.NoError(t, os.Chmod(state, 0o770))
	for _, volume := range spec.Volumes {
		if volume.Secret != nil {
			p.mount(mounts[volume.Name], volume.Secret, int(*spec.SecurityContext.FSGroup))
		}
	}
	p.run(*spec.SecurityContext.RunAsUser, *spec.SecurityContext.RunAsGroup)
	return p
}

// mount writes the files of a Secret to a new folder, to which the symbolic link ..data is moved, as the kubelet does.
func (p *pod) mount(folder string, volume *core.SecretVolumeSource, group int) {
	p.t.Helper()
	files, found := p.secrets[volume.SecretName]
	require.True(p.t, found, "there is no Secret %s", volume.SecretName)
	require.NoError(p.t, os.MkdirAll(folder, 0o755))
	data, err := os.MkdirTemp(folder, "..")
	require.NoError(p.t, err)
	require.NoError(p.t, os.Chmod(data, 0o755))
	for name, text := range files {
		file := filepath.Join(data, name)
		require.NoError(p.t, os.WriteFile(file, []byte(text), os.FileMode(*volume.DefaultMode)))
		require.NoError(p.t, os.Chown(file, 0, group))
		link := filepath.Join(folder, name)
		if _, err := os.Lstat(link); err != nil {
			require.NoError(p.t, os.Symlink("..data/"+name, link))
		}
	}
	require.NoError(p.t, os.Symlink(filepath.Base(data), filepath.Join(folder, "..new")))
	require.NoError(p.t, os.Rename(filepath.Join(folder, "..new"), filepath.Join(folder, "..data")))
}

func (p *pod) run(user, group int64) {
	p.t.Helper()
	args := append([]string{"--storage.path=/var/lib/servicegroup_exporter"}, p.container.Args...) // The first is the image's.
	args = append(args, "--web.listen-address="+p.address)                                         // A pod has an address of its own.
	cmd := exec.CommandContext(p.t.Context(), "/usr/bin/servicegroup_exporter", args...)
	cmd.Dir, cmd.Env = "/", []string{}
	for _, variable := range p.container.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			value = p.secrets[from.SecretKeyRef.Name][from.SecretKeyRef.Key]
		}
		cmd.Env = append(cmd.Env, variable.Name+"="+value)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: p.root, Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(group)}}
	log, err := os.Create(filepath.Join(p.t.TempDir(), "log"))
	require.NoError(p.t, err)
	cmd.Stderr = log
	require.NoError(p.t, cmd.Start())
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // The error says that it was stopped.
		if text, err := os.ReadFile(log.Name()); p.t.Failed() {
			p.t.Logf("the log of the program (%v):\n%s", err, text)
		}
		log.Close()
	})
}

// get returns the status and the text of an answer. As for the kubelet, any certificate is good.
func (p *pod) get(scheme, path, password string) (status int, body string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, strings.ToLower(scheme)+"://"+p.address+path, nil)
	require.NoError(p.t, err)
	if password != "" {
		request.SetBasicAuth("prometheus", password)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, read(response)
}

// probed waits until a probe of the pod succeeds.
func (p *pod) probed(probe *core.Probe) {
	p.t.Helper()
	var status int
	var body string
	eventually(p.t, func() bool {
		status, body = p.get(string(probe.HTTPGet.Scheme), probe.HTTPGet.Path, "")
		return status == http.StatusOK
	}, func() string { return fmt.Sprintf("%s: %d %s", probe.HTTPGet.Path, status, body) })
}

// sees waits until the metrics contain a text.
func (p *pod) sees(scheme, password, want string) {
	p.t.Helper()
	var body string
	eventually(p.t, func() bool {
		_, body = p.get(scheme, "/metrics", password)
		return strings.Contains(body, want)
	}, func() string { return fmt.Sprintf("%q is not in:\n%s", want, body) })
}

// The pod of the chart as it is becomes ready and serves metrics.
func TestPod(t *testing.T) {
	p := startPod(t, renderSet(t, "defaults"), map[string]map[string]string{})
	p.probed(p.container.LivenessProbe)
	p.probed(p.container.ReadinessProbe)
	p.sees("http", "", `servicegroup_source_up{source="local"} 1`)
}

// With TLS and a password the probes still succeed, and metrics need the password.
func TestPodWithTLS(t *testing.T) {
	p := startPod(t, renderSet(t, "tls"),
		map[string]map[string]string{"exporter-tls": certificate(t)})
	p.probed(p.container.LivenessProbe)
	p.probed(p.container.ReadinessProbe)
	status, _ := p.get("https", "/metrics", "")
	require.Equal(t, http.StatusUnauthorized, status)
	p.sees("https", "secret", `servicegroup_source_up{source="local"} 1`)
}

// A changed Secret is used without a restart.
func TestPodWithExistingSecret(t *testing.T) {
	config := func(name string) map[string]string {
		return map[string]string{"servicegroups.yml": fmt.Sprintf(
			`sources: [{name: %s, driver: db, db: {dsn: "sqlite:////var/lib/servicegroup_exporter/a.db"}}]`, name)}
	}
	manifests := renderSet(t, "existing-secrets", "--set=webConfig.existingSecret=")
	p := startPod(t, manifests, map[string]map[string]string{"servicegroups": config("first")})
	p.sees("http", "", `servicegroup_source_up{source="first"} 1`)
	p.secrets["servicegroups"] = config("second")
	spec := find[*apps.StatefulSet](t, manifests).Spec.Template.Spec
	p.mount(filepath.Join(p.root, "/etc/servicegroup_exporter"), spec.Volumes[0].Secret, 65532)
	p.sees("http", "", `servicegroup_source_up{source="second"} 1`)
}

// certificate returns a Secret with a certificate that signs itself, as of cert-manager.
func certificate(t *testing.T) map[string]string {
	t.Helper()
	folder := t.TempDir()
	shell(t, folder, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=exporter -keyout tls.key -out tls.crt 2>/dev/null")
	secret := map[string]string{}
	for _, name := range []string{"tls.crt", "tls.key"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		secret[name] = string(text)
	}
	return secret
}

// The page about Kubernetes: its commands work, Kubernetes accepts all that they render, and the first pod serves.
func TestKubernetesPage(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"packaging", "bin"} {
		path, err := filepath.Abs("../" + name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(folder, name)))
	}
	shell(t, "..", "make build BUILDFLAGS=-trimpath OUTPUT="+folder+"/servicegroup_exporter")
	follow(t, "../docs/kubernetes.md", folder, strings.NewReplacer(), func(command string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "PATH="+folder+":"+folder+"/bin:"+os.Getenv("PATH"), "HOME="+folder)
		out, err := cmd.CombinedOutput()
		return string(out), err
	})
	files, err := filepath.Glob(filepath.Join(folder, "*manifests.yaml"))
	require.NoError(t, err)
	require.Len(t, files, 7)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		manifests := split(string(text))
		require.NotEmpty(t, manifests)
		for _, m := range manifests {
			decode(t, m)
		}
		if filepath.Base(file) == "manifests.yaml" {
			p := startPod(t, manifests, map[string]map[string]string{})
			p.probed(p.container.ReadinessProbe)
			p.sees("http", "", `servicegroup_source_up{source="local"} 1`)
		}
	}
}
