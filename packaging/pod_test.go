package packaging

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
)

// A pod runs the program as a StatefulSet describes its container: with its arguments, environment, user and files in the root folder
// of the image, which is read-only, and in a network of its own. Secrets and other volumes are folders there, which are replaced as the
// kubelet replaces them.
type pod struct {
	t         *testing.T
	container core.Container
	root      string
	pid       string
	secrets   map[string]map[string]string // the files of each Secret
}

// startPod runs what the chart renders, with the Secrets that exist besides the chart's own.
func startPod(t *testing.T, manifests []string, secrets map[string]map[string]string) *pod {
	t.Helper()
	require.Zero(t, os.Geteuid(), "changing the root folder and the user needs root: run make test-packaging as root, or with sudo")
	set := find[*apps.StatefulSet](t, manifests)
	spec := set.Spec.Template.Spec
	p := &pod{t: t, container: spec.Containers[0], root: t.TempDir(), secrets: secrets}
	for _, secret := range all[*core.Secret](t, manifests) {
		p.secrets[secret.Name] = secret.StringData
	}
	require.NoError(t, os.MkdirAll(p.root+"/usr/bin", 0o755))
	shell(t, "..", "make build BUILDFLAGS=-trimpath OUTPUT=$PWD/.tested/pod/servicegroup_exporter && cp .tested/pod/servicegroup_exporter "+p.root+"/usr/bin")
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
	p.run(spec.SecurityContext, strings.TrimPrefix(state, p.root))
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

// run starts the container's program in namespaces of its own.
func (p *pod) run(context *core.PodSecurityContext, state string) {
	p.t.Helper()
	require.True(p.t, *p.container.SecurityContext.ReadOnlyRootFilesystem)
	require.Empty(p.t, p.container.Command, "the entry point is the image's")
	args := []string{
		"--mount", "--net", "/bin/sh", "testdata/pod.sh", p.root, state,
		fmt.Sprintf("%d:%d", *context.RunAsUser, *context.RunAsGroup), strconv.FormatInt(*context.FSGroup, 10),
	}
	cmd := exec.CommandContext(p.t.Context(), "unshare", slices.Concat(args, entryPoint(p.t), p.container.Args)...)
	cmd.Env = []string{}
	for _, variable := range p.container.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			value = p.secrets[from.SecretKeyRef.Name][from.SecretKeyRef.Key]
		}
		cmd.Env = append(cmd.Env, variable.Name+"="+value)
	}
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
	p.pid = strconv.Itoa(cmd.Process.Pid)
	eventually(p.t, func() bool {
		program, err := os.Readlink("/proc/" + p.pid + "/exe")
		return err == nil && filepath.Base(program) == "servicegroup_exporter"
	}, func() string { return "the program did not start" })
}

// entryPoint returns the program of the image, with its first arguments.
func entryPoint(t *testing.T) (entryPoint []string) {
	t.Helper()
	file, err := os.ReadFile("container/Containerfile")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(file), "\nENTRYPOINT ")
	require.True(t, found)
	line, _, _ := strings.Cut(after, "\n")
	require.NoError(t, json.Unmarshal([]byte(line), &entryPoint))
	return entryPoint
}

// get returns the status and the text of an answer of a port of the container. As for the kubelet, any certificate is good.
func (p *pod) get(scheme, port, path, password string) (status int, body string) {
	p.t.Helper()
	i := slices.IndexFunc(p.container.Ports, func(c core.ContainerPort) bool { return c.Name == port })
	require.GreaterOrEqual(p.t, i, 0, "the container has no port %q", port)
	args := []string{"--net", "--target", p.pid, "curl", "--silent", "--show-error", "--noproxy", "*", "--insecure", "--write-out", "\n%{http_code}"}
	if password != "" {
		args = append(args, "--user", "prometheus:"+password)
	}
	url := fmt.Sprintf("%s://127.0.0.1:%d%s", strings.ToLower(scheme), p.container.Ports[i].ContainerPort, path)
	out, _ := exec.CommandContext(p.t.Context(), "nsenter", append(args, url)...).CombinedOutput() // Without an answer the status is 000.
	body = string(out)
	end := strings.LastIndex(body, "\n")
	status, err := strconv.Atoi(body[end+1:])
	require.NoError(p.t, err, body)
	return status, body[:end]
}

// probed waits until a probe of the pod succeeds.
func (p *pod) probed(probe *core.Probe) {
	p.t.Helper()
	var status int
	var body string
	eventually(p.t, func() bool {
		status, body = p.get(string(probe.HTTPGet.Scheme), probe.HTTPGet.Port.StrVal, probe.HTTPGet.Path, "")
		return status == http.StatusOK
	}, func() string { return fmt.Sprintf("%s: %d %s", probe.HTTPGet.Path, status, body) })
}

// sees waits until the metrics contain a text.
func (p *pod) sees(scheme, password, want string) {
	p.t.Helper()
	var body string
	eventually(p.t, func() bool {
		_, body = p.get(scheme, "http", "/metrics", password)
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
	status, _ := p.get("https", "http", "/metrics", "")
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
	clone := checkout(t, filepath.Join(t.TempDir(), "clone"), "022")
	shell(t, "..", "cp bin/helm "+clone+"/bin")
	r := readerIn(t, clone, func(command string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir = clone
		cmd.Env = append(os.Environ(), "PATH="+clone+":"+clone+"/bin:"+os.Getenv("PATH"), "HELM_CONFIG_HOME="+clone)
		out, err := cmd.CombinedOutput()
		return string(out), err
	})
	page, err := os.ReadFile("../docs/kubernetes.md")
	require.NoError(t, err)
	require.Equal(t, 13, r.follow(t, string(page)))
	files, err := filepath.Glob(filepath.Join(clone, "*manifests.yaml"))
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
