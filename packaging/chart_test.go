package packaging

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

const chartFolder = "helm/servicegroup-exporter"

var (
	update     = flag.Bool("update", false, "write the Kubernetes manifests from the chart")
	helmLabels = regexp.MustCompile(`(?m)^ +(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n|^# Source: .*\n`)
	separator  = regexp.MustCompile(`(?m)^---\n`)
)

// everything enables the objects that need more than a plain Kubernetes.
const everything = `
serviceMonitor: {enabled: true, labels: {release: prometheus}}
prometheusRule: {enabled: true}
dashboards: {enabled: true}
`

// helm runs Helm, and returns what it prints. An error has what it prints as errors.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	program, err := filepath.Abs("../bin/helm")
	require.NoError(t, err)
	require.FileExists(t, program, "build it with: make bin/helm")
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = []string{"HOME=" + t.TempDir()}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("helm %s: %w\n%s", args, err, &stderr)
	}
	return stdout.String(), nil
}

// tryRender returns the manifests that `helm template` prints for values, and other arguments.
func tryRender(t *testing.T, values string, args ...string) (manifests []string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(file, []byte(values), 0o600))
	out, err := helm(t, append([]string{
		"template", "servicegroup-exporter", chartFolder, "--namespace=monitoring", "--values=" + file,
	}, args...)...)
	return split(out), err
}

// split returns the manifests of a file that Helm has rendered.
func split(text string) (manifests []string) {
	for _, manifest := range separator.Split(text, -1) {
		if strings.TrimSpace(manifest) != "" {
			manifests = append(manifests, manifest)
		}
	}
	return manifests
}

func render(t *testing.T, values string, args ...string) []string {
	t.Helper()
	manifests, err := tryRender(t, values, args...)
	require.NoError(t, err)
	return manifests
}

// decode decodes a manifest into the API's own type, and refuses unknown fields.
func decode(t *testing.T, manifest string) any {
	t.Helper()
	var head struct{ APIVersion, Kind string }
	require.NoError(t, yaml.Unmarshal([]byte(manifest), &head))
	object := map[string]any{
		"v1/ConfigMap":                            new(core.ConfigMap),
		"v1/Secret":                               new(core.Secret),
		"v1/Service":                              new(core.Service),
		"v1/ServiceAccount":                       new(core.ServiceAccount),
		"apps/v1/StatefulSet":                     new(apps.StatefulSet),
		"networking.k8s.io/v1/Ingress":            new(networking.Ingress),
		"networking.k8s.io/v1/NetworkPolicy":      new(networking.NetworkPolicy),
		"policy/v1/PodDisruptionBudget":           new(policy.PodDisruptionBudget),
		"monitoring.coreos.com/v1/ServiceMonitor": new(monitoring.ServiceMonitor),
		"monitoring.coreos.com/v1/PrometheusRule": new(monitoring.PrometheusRule),
	}[head.APIVersion+"/"+head.Kind]
	require.NotNil(t, object, "%v", head)
	require.NoError(t, yaml.UnmarshalStrict([]byte(manifest), object), manifest)
	return object
}

// all returns the objects of a type.
func all[T any](t *testing.T, manifests []string) (found []T) {
	t.Helper()
	for _, m := range manifests {
		if object, ok := decode(t, m).(T); ok {
			found = append(found, object)
		}
	}
	return found
}

// find returns the only object of a type.
func find[T any](t *testing.T, manifests []string) T {
	t.Helper()
	found := all[T](t, manifests)
	require.Len(t, found, 1)
	return found[0]
}

func TestChartLints(t *testing.T) {
	file := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(file, []byte(everything), 0o600))
	_, err := helm(t, "lint", "--strict", "--values="+file, chartFolder)
	require.NoError(t, err)
}

// Kubernetes and the Prometheus operator accept the chart's manifests, and the pods run with the fewest privileges.
func TestChart(t *testing.T) {
	manifests := render(t, everything)
	pod := find[*apps.StatefulSet](t, manifests).Spec.Template.Spec
	container := pod.Containers[0]
	require.True(t, *pod.SecurityContext.RunAsNonRoot)
	require.False(t, *pod.AutomountServiceAccountToken)
	require.True(t, *container.SecurityContext.ReadOnlyRootFilesystem)
	require.Equal(t, []core.Capability{"ALL"}, container.SecurityContext.Capabilities.Drop)
	require.Equal(t, "/-/ready", container.ReadinessProbe.HTTPGet.Path)
	require.Equal(t, "/-/healthy", container.LivenessProbe.HTTPGet.Path)
	service := find[*core.Service](t, manifests)
	require.Equal(t, container.Ports[0].Name, service.Spec.Ports[0].TargetPort.StrVal)
	monitor := find[*monitoring.ServiceMonitor](t, manifests)
	require.Equal(t, "prometheus", monitor.Labels["release"])
	require.True(t, monitor.Spec.Endpoints[0].HonorLabels)
	require.Equal(t, service.Spec.Ports[0].Name, monitor.Spec.Endpoints[0].Port)
	require.Subset(t, service.Labels, monitor.Spec.Selector.MatchLabels)
}

// The rules of the chart are those that the program prints as a manifest, with the namespace.
func TestChartsRules(t *testing.T) {
	shipped, err := os.ReadFile("../alerts/servicegroup.prometheusrule.yml")
	require.NoError(t, err)
	want := decode(t, string(shipped)).(*monitoring.PrometheusRule)
	require.NotEmpty(t, want.Spec.Groups)
	got := find[*monitoring.PrometheusRule](t, render(t, everything))
	for _, group := range got.Spec.Groups {
		for _, rule := range group.Rules {
			if rule.Alert != "" {
				require.Equal(t, "monitoring", rule.Labels["namespace"], rule.Alert)
				delete(rule.Labels, "namespace")
			}
		}
	}
	require.Equal(t, want.Spec, got.Spec)
}

// The notes say what the values leave to the reader.
func TestChartsNotes(t *testing.T) {
	notes := func(values string) string {
		file := filepath.Join(t.TempDir(), "notes.yaml")
		require.NoError(t, os.WriteFile(file, []byte(`{apiVersion: v1, kind: ConfigMap, metadata: {name: notes},
data: {notes: {{ include "servicegroup-exporter/templates/NOTES.txt" . | toJson }}}}`), 0o600))
		for _, object := range all[*core.ConfigMap](t, render(t, values, "--set-file=extraManifests[0]="+file)) {
			if object.Name == "notes" {
				return object.Data["notes"]
			}
		}
		t.Fatal("there are no notes")
		return ""
	}
	only := map[string]string{
		"disableAlertgroupLabel":            "prometheusRule: {enabled: true}",
		"Scrape each pod":                   "replicas: 2",
		"set serviceMonitor.basic":          "{serviceMonitor: {enabled: true}, webConfig: {existingSecret: web}}",
		"{labels: {namespace: monitoring}}": "{existingSecret: mine, prometheusRule: {enabled: true}}",
		"https://localhost:10199/":          "webConfig: {existingSecret: web, tls: true}",
		"image.registry is empty":           "replicas: 2",
	}
	without := notes("{replicas: 1, image: {registry: registry.example.com}}")
	require.Contains(t, without, "port-forward statefulset/servicegroup-exporter 10199")
	for text, values := range only {
		require.Contains(t, notes(values), text)
		require.NotContains(t, without, text)
	}
}

// The chart has all dashboards, unchanged.
func TestChartsDashboards(t *testing.T) {
	got := map[string]string{}
	for _, object := range all[*core.ConfigMap](t, render(t, everything)) {
		require.Equal(t, "1", object.Labels["grafana_dashboard"])
		for name, text := range object.Data {
			got[name] = strings.TrimSpace(text)
		}
	}
	files, err := filepath.Glob("../dashboards/*.json")
	require.NoError(t, err)
	want := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		want[filepath.Base(file)] = strings.TrimSpace(string(text))
	}
	require.Equal(t, want, got)
}

// The plain manifests equal the chart's manifests, without Helm's labels and without the rules and dashboards, which are shipped
// as separate files.
func TestManifests(t *testing.T) {
	files := map[string]string{}
	for _, m := range render(t, everything) {
		file := "servicegroup-exporter.yaml"
		switch decode(t, m).(type) {
		case *monitoring.PrometheusRule, *core.ConfigMap:
			continue
		case *monitoring.ServiceMonitor:
			file = "servicemonitor.yaml"
		}
		files[file] += "---\n" + strings.TrimSpace(helmLabels.ReplaceAllString(m, "")) + "\n"
	}
	require.Len(t, files, 2)
	for file, text := range files {
		text = "# Generated from the chart: change the chart, then run \"go test -run TestManifests -update\" in packaging/.\n" + text
		file = filepath.Join("kubernetes", file)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		}
		written, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, text, string(written))
	}
}
