package packaging

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/releaseutil"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

const chartFolder = "helm/servicegroup-exporter"

var update = flag.Bool("update", false, "write the Kubernetes manifests from the chart")

var helmLabels = regexp.MustCompile(`(?m)^ +(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n`)

// everything enables the options that need more than a plain Kubernetes.
var everything = map[string]any{
	"serviceMonitor": map[string]any{"enabled": true, "labels": map[string]any{"release": "prometheus"}},
	"prometheusRule": map[string]any{"enabled": true},
	"dashboards":     map[string]any{"enabled": true},
}

// render returns the manifests that `helm template servicegroup-exporter --namespace monitoring` prints.
func render(t *testing.T, values map[string]any) []string {
	t.Helper()
	manifests, _, err := tryRender(t, values)
	require.NoError(t, err)
	return manifests
}

func tryRender(t *testing.T, values map[string]any) (manifests []string, notes string, err error) {
	t.Helper()
	chart, err := loader.LoadDir(chartFolder)
	require.NoError(t, err)
	full, err := chartutil.ToRenderValues(chart, values, chartutil.ReleaseOptions{
		Name: "servicegroup-exporter", Namespace: "monitoring", Revision: 1, IsInstall: true,
	}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, "", err
	}
	files, err := engine.Render(chart, full)
	if err != nil {
		return nil, "", err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(name) == ".yaml" {
			split := releaseutil.SplitManifests(files[name])
			for _, key := range slices.Sorted(maps.Keys(split)) {
				manifests = append(manifests, split[key])
			}
		}
	}
	return manifests, files["servicegroup-exporter/templates/NOTES.txt"], nil
}

// decode decodes a manifest into the API's own type, and refuses unknown fields.
func decode(t *testing.T, manifest string) any {
	t.Helper()
	var head struct{ APIVersion, Kind string }
	require.NoError(t, yaml.Unmarshal([]byte(manifest), &head))
	var object any
	switch head.APIVersion + "/" + head.Kind {
	case "v1/Secret":
		object = new(core.Secret)
	case "v1/Service":
		object = new(core.Service)
	case "v1/ConfigMap":
		object = new(core.ConfigMap)
	case "apps/v1/StatefulSet":
		object = new(apps.StatefulSet)
	case "policy/v1/PodDisruptionBudget":
		object = new(policy.PodDisruptionBudget)
	case "monitoring.coreos.com/v1/ServiceMonitor":
		object = new(monitoring.ServiceMonitor)
	case "monitoring.coreos.com/v1/PrometheusRule":
		object = new(monitoring.PrometheusRule)
	}
	require.NotNil(t, object, "%v", head)
	require.NoError(t, yaml.UnmarshalStrict([]byte(manifest), object), manifest)
	return object
}

// find returns the only object of a type.
func find[T any](t *testing.T, manifests []string) T {
	t.Helper()
	var found []T
	for _, m := range manifests {
		if object, ok := decode(t, m).(T); ok {
			found = append(found, object)
		}
	}
	require.Len(t, found, 1)
	return found[0]
}

func TestChartLints(t *testing.T) {
	for _, message := range lint.All(chartFolder, everything, "monitoring", true).Messages {
		if !strings.Contains(message.Error(), "icon is recommended") {
			t.Error(message)
		}
	}
}

// Kubernetes and the Prometheus operator accept the chart's manifests, and the pods run with the fewest privileges.
func TestChart(t *testing.T) {
	manifests := render(t, everything)
	require.Len(t, manifests, 10)
	pod := find[*apps.StatefulSet](t, manifests).Spec.Template.Spec
	container := pod.Containers[0]
	require.True(t, *pod.SecurityContext.RunAsNonRoot)
	require.False(t, *pod.AutomountServiceAccountToken)
	require.True(t, *container.SecurityContext.ReadOnlyRootFilesystem)
	require.Equal(t, []core.Capability{"ALL"}, container.SecurityContext.Capabilities.Drop)
	require.Equal(t, "/-/ready", container.ReadinessProbe.HTTPGet.Path)
	require.Equal(t, "/-/healthy", container.LivenessProbe.HTTPGet.Path)
	require.Equal(t, container.Ports[0].Name, find[*core.Service](t, manifests).Spec.Ports[0].TargetPort.StrVal)
	monitor := find[*monitoring.ServiceMonitor](t, manifests)
	require.Equal(t, "prometheus", monitor.Labels["release"])
	require.True(t, monitor.Spec.Endpoints[0].HonorLabels)
	require.Equal(t, find[*core.Service](t, manifests).Spec.Ports[0].Name, monitor.Spec.Endpoints[0].Port)
	require.Subset(t, find[*core.Service](t, manifests).Labels, monitor.Spec.Selector.MatchLabels)
}

// The rules of the chart are those that the program prints as a manifest.
func TestChartsRules(t *testing.T) {
	shipped, err := os.ReadFile("../alerts/servicegroup.prometheusrule.yml")
	require.NoError(t, err)
	want := decode(t, string(shipped)).(*monitoring.PrometheusRule)
	require.NotEmpty(t, want.Spec.Groups)
	require.Equal(t, want.Spec, find[*monitoring.PrometheusRule](t, render(t, everything)).Spec)

	own := map[string]any{"prometheusRule": map[string]any{"enabled": true, "rules": "groups:\n- name: own\n  rules: []\n"}}
	require.Equal(t, "own", find[*monitoring.PrometheusRule](t, render(t, own)).Spec.Groups[0].Name)
}

// The notes say what the values leave to the reader.
func TestChartsNotes(t *testing.T) {
	for text, values := range map[string]map[string]any{
		"disableAlertgroupLabel":    {"prometheusRule": map[string]any{"enabled": true}},
		"Scrape each pod":           {"replicas": 2},
		"port-forward statefulset/": {},
	} {
		_, notes, err := tryRender(t, values)
		require.NoError(t, err)
		require.Contains(t, notes, text)
	}
	_, notes, err := tryRender(t, map[string]any{"replicas": 1})
	require.NoError(t, err)
	require.NotContains(t, notes, "disableAlertgroupLabel")
	require.NotContains(t, notes, "Scrape each pod")
}

// The chart has all dashboards, unchanged.
func TestChartsDashboards(t *testing.T) {
	got := map[string]string{}
	for _, m := range render(t, everything) {
		if object, ok := decode(t, m).(*core.ConfigMap); ok {
			require.Equal(t, "1", object.Labels["grafana_dashboard"])
			for name, text := range object.Data {
				got[name] = strings.TrimSpace(text)
			}
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

func TestChartsValues(t *testing.T) {
	single := render(t, map[string]any{
		"replicas": 1, "existingSecret": "mine", "persistence": map[string]any{"enabled": false},
		"args": []any{"--compat.openstack-exporter"}, "nodeSelector": map[string]any{"a": "b"},
		"env": []any{map[string]any{"name": "PASSWORD", "value": "x"}}, "tolerations": []any{map[string]any{"key": "k"}},
	})
	require.Len(t, single, 2, "no secret, no disruption budget")
	set := find[*apps.StatefulSet](t, single)
	require.Empty(t, set.Spec.VolumeClaimTemplates)
	require.Equal(t, "mine", set.Spec.Template.Spec.Volumes[0].Secret.SecretName)
	require.NotNil(t, set.Spec.Template.Spec.Volumes[1].EmptyDir)
	require.Equal(t, "--compat.openstack-exporter", set.Spec.Template.Spec.Containers[0].Args[1])

	for name, values := range map[string]map[string]any{
		"replica":        {"replica": 2},
		"replicas":       {"replicas": "two"},
		"scrapeTimeout":  {"serviceMonitor": map[string]any{"scrapeTimeout": "soon"}},
		"serviceMonitor": {"serviceMonitor": map[string]any{"enable": true}},
	} {
		_, _, err := tryRender(t, values)
		require.ErrorContains(t, err, name)
	}
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
		files[file] += "---\n" + helmLabels.ReplaceAllString(strings.TrimSpace(m), "") + "\n"
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
