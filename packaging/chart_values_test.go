package packaging

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

// renderSet renders a file of testdata/values.
func renderSet(t *testing.T, name string, args ...string) []string {
	t.Helper()
	values, err := os.ReadFile(filepath.Join("testdata", "values", name+".yaml"))
	require.NoError(t, err)
	return render(t, string(values), args...)
}

// The chart renders ten sets of values to what Kubernetes accepts: with its own types, names, labels and volumes.
func TestChartsSets(t *testing.T) {
	files, err := filepath.Glob("testdata/values/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 10)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			manifests := renderSet(t, strings.TrimSuffix(filepath.Base(file), ".yaml"))
			for _, m := range manifests {
				checkMeta(t, decode(t, m).(meta.Object))
			}
			set := find[*apps.StatefulSet](t, manifests)
			checkMeta(t, &set.Spec.Template)
			require.Subset(t, set.Spec.Template.Labels, set.Spec.Selector.MatchLabels)
			checkVolumes(t, set)
			checkSecrets(t, manifests, set)
		})
	}
}

// checkMeta checks an object's name, labels and namespace by the rules of Kubernetes. A pod's template has no name.
func checkMeta(t *testing.T, object meta.Object) {
	t.Helper()
	if _, template := object.(*core.PodTemplateSpec); !template {
		require.Empty(t, validation.IsDNS1123Subdomain(object.GetName()), object.GetName())
		require.NotEmpty(t, object.GetNamespace(), object.GetName())
	}
	for name, value := range object.GetLabels() {
		require.Empty(t, validation.IsQualifiedName(name), name)
		require.Empty(t, validation.IsValidLabelValue(value), value)
	}
	for name := range object.GetAnnotations() {
		require.Empty(t, validation.IsQualifiedName(strings.ToLower(name)), name)
	}
}

// checkVolumes checks that each mount has a volume and a path of its own.
func checkVolumes(t *testing.T, set *apps.StatefulSet) {
	t.Helper()
	volumes, paths := map[string]bool{}, map[string]bool{}
	for _, v := range set.Spec.Template.Spec.Volumes {
		require.NotContains(t, volumes, v.Name)
		volumes[v.Name] = true
	}
	for _, c := range set.Spec.VolumeClaimTemplates {
		volumes[c.Name] = true
	}
	for _, m := range set.Spec.Template.Spec.Containers[0].VolumeMounts {
		require.Contains(t, volumes, m.Name)
		require.NotContains(t, paths, m.MountPath)
		paths[m.MountPath] = true
	}
}

// checkSecrets checks that the Secrets of the chart itself are those that the pods mount.
func checkSecrets(t *testing.T, manifests []string, set *apps.StatefulSet) {
	t.Helper()
	var mounted []string
	for _, v := range set.Spec.Template.Spec.Volumes {
		if v.Secret != nil {
			mounted = append(mounted, v.Secret.SecretName)
		}
	}
	for _, secret := range all[*core.Secret](t, manifests) {
		require.Contains(t, mounted, secret.Name)
	}
}

func container(t *testing.T, manifests []string) core.Container {
	t.Helper()
	return find[*apps.StatefulSet](t, manifests).Spec.Template.Spec.Containers[0]
}

func TestChartsImage(t *testing.T) {
	var chart struct{ AppVersion string }
	text, err := os.ReadFile(filepath.Join(chartFolder, "Chart.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &chart))
	require.NotEmpty(t, chart.AppVersion)
	require.Equal(t, "servicegroup_exporter:"+chart.AppVersion, container(t, renderSet(t, "defaults")).Image)
	require.Equal(t, "registry.example.com:5000/team/servicegroup_exporter:1.2.3", container(t, renderSet(t, "existing-secrets")).Image)
	require.Equal(t, "registry.example.com/cloud/servicegroup_exporter@sha256:"+strings.Repeat("0123456789abcdef", 4),
		container(t, renderSet(t, "scheduling")).Image)
}

// The chart of a release has the release's version and image, and is the same each time.
func TestReleasedChart(t *testing.T) {
	dist := t.TempDir()
	file := filepath.Join(dist, "servicegroup-exporter-"+newer+".tgz")
	pack := func(umask string) (sum string) {
		return shell(t, "..", "umask "+umask+"; SOURCE_DATE_EPOCH=1700000000 VERSION="+newer+" DIST="+dist+
			" CHART_IMAGE=registry.example.com/team/exporter HOMEPAGE=https://example.com tools/chart && sha256sum "+file)
	}
	require.Equal(t, pack("022"), pack("077"))
	chart, err := helm(t, "show", "chart", file)
	require.NoError(t, err)
	require.Contains(t, chart, "\nversion: "+newer+"\n")
	out, err := helm(t, "template", file, "--set=dashboards.enabled=true")
	require.NoError(t, err)
	require.Contains(t, chart, "\nhome: https://example.com\n")
	require.Contains(t, out, `image: "registry.example.com/team/exporter:`+strings.ReplaceAll(newer, "+", "-")+`"`)
	require.Len(t, all[*core.ConfigMap](t, split(out)), len(all[*core.ConfigMap](t, render(t, "dashboards: {enabled: true}"))))
}

// Probes and scrapes use TLS if the web configuration has it. Where clients need a certificate, probes only connect.
func TestChartsWebConfig(t *testing.T) {
	plain := renderSet(t, "defaults")
	require.Equal(t, core.URISchemeHTTP, container(t, plain).LivenessProbe.HTTPGet.Scheme)
	require.NotContains(t, strings.Join(container(t, plain).Args, " "), "--web.config.file")

	tls := renderSet(t, "tls")
	require.Contains(t, container(t, tls).Args, "--web.config.file=/etc/servicegroup_exporter_web/web-config.yml")
	require.Equal(t, core.URISchemeHTTPS, container(t, tls).LivenessProbe.HTTPGet.Scheme)
	endpoint := find[*monitoring.ServiceMonitor](t, tls).Spec.Endpoints[0]
	require.Equal(t, "https", endpoint.Scheme.String())
	require.Equal(t, "scrape-login", endpoint.BasicAuth.Password.Name)
	require.Equal(t, "servicegroup-exporter.monitoring.svc", *endpoint.TLSConfig.ServerName)

	require.Equal(t, core.URISchemeHTTPS, container(t, renderSet(t, "existing-secrets")).ReadinessProbe.HTTPGet.Scheme)
	require.NotNil(t, container(t, renderSet(t, "client-certificates")).ReadinessProbe.TCPSocket)
	require.Nil(t, container(t, renderSet(t, "client-certificates")).LivenessProbe.HTTPGet)
	require.EqualValues(t, 60, container(t, renderSet(t, "single")).ReadinessProbe.FailureThreshold)
}

// Alerts have the namespace and the labels of the configuration, by rules and by the bridge. Labels of own rules stay.
func TestChartsAlertLabels(t *testing.T) {
	labels := func(manifests []string) (bridge map[string]string) {
		var config struct {
			Alerting struct{ Labels map[string]string }
		}
		require.NoError(t, yaml.Unmarshal([]byte(find[*core.Secret](t, manifests).StringData["servicegroups.yml"]), &config))
		return config.Alerting.Labels
	}
	set := renderSet(t, "monitoring")
	require.Equal(t, map[string]string{"namespace": "monitoring", "team": "cloud"}, labels(set))
	rules := find[*monitoring.PrometheusRule](t, set)
	require.Equal(t, "prometheus", rules.Namespace)
	require.Empty(t, rules.Spec.Groups[0].Rules[0].Labels)
	require.Equal(t, map[string]string{"namespace": "monitoring", "team": "own", "severity": "critical"}, rules.Spec.Groups[0].Rules[1].Labels)
	require.Contains(t, find[*core.Secret](t, set).StringData["servicegroups.yml"], "label_value_length_limit: 1000000\n")

	require.Equal(t, map[string]string{"team": "cloud"}, labels(renderSet(t, "single")))
	existing := find[*monitoring.PrometheusRule](t, renderSet(t, "existing-secrets"))
	for _, rule := range existing.Spec.Groups[0].Rules {
		require.True(t, rule.Alert == "" || rule.Labels["namespace"] == "monitoring", rule.Alert)
	}
}

func TestChartsMonitoring(t *testing.T) {
	set := renderSet(t, "monitoring")
	monitor := find[*monitoring.ServiceMonitor](t, set)
	require.Equal(t, "prometheus", monitor.Namespace)
	require.Equal(t, []string{"monitoring"}, monitor.Spec.NamespaceSelector.MatchNames)
	endpoint := monitor.Spec.Endpoints[0]
	var targets []string
	for _, r := range endpoint.RelabelConfigs {
		targets = append(targets, r.TargetLabel)
	}
	require.Equal(t, []string{"job", "cluster", "node"}, targets)
	require.Equal(t, "drop", endpoint.MetricRelabelConfigs[0].Action)
	dashboard := find[*core.ConfigMap](t, set)
	require.Equal(t, "grafana", dashboard.Namespace)
	require.Contains(t, dashboard.Data["overview.json"], "Own")
}

func TestChartsOtherValues(t *testing.T) {
	single := renderSet(t, "single")
	require.Len(t, single, 4, "no disruption budget")
	require.NotNil(t, find[*apps.StatefulSet](t, single).Spec.Template.Spec.Volumes[1].EmptyDir)
	require.Contains(t, container(t, single).Args, "--compat.openstack-exporter")

	pod := find[*apps.StatefulSet](t, renderSet(t, "existing-secrets")).Spec.Template
	require.Equal(t, "servicegroups", pod.Spec.Volumes[0].Secret.SecretName)
	require.Equal(t, "registry-login", pod.Spec.ImagePullSecrets[0].Name)
	require.Empty(t, pod.Annotations, "a changed Secret does not replace the pods")
	require.Contains(t, pod.Spec.Containers[0].Args, "--config.watch")

	pod = find[*apps.StatefulSet](t, renderSet(t, "openshift")).Spec.Template
	require.Equal(t, "servicegroups", pod.Spec.ServiceAccountName)
	require.Nil(t, pod.Spec.SecurityContext.RunAsUser)
	require.True(t, *pod.Spec.SecurityContext.RunAsNonRoot)

	scheduled := renderSet(t, "scheduling")
	require.Empty(t, all[*policy.PodDisruptionBudget](t, scheduled))
	set := find[*apps.StatefulSet](t, scheduled)
	require.Equal(t, "cloud-a-membership", set.Name)
	require.Equal(t, "openstack", set.Labels["app.kubernetes.io/part-of"])
	require.Equal(t, "false", set.Spec.Template.Labels["sidecar.istio.io/inject"])
	require.NotContains(t, set.Spec.Selector.MatchLabels, "team")
	require.Len(t, set.Spec.Template.Annotations, 2)
	require.Equal(t, "system-cluster-critical", set.Spec.Template.Spec.PriorityClassName)
	require.Equal(t, []string{"openstack.example.com"}, set.Spec.Template.Spec.DNSConfig.Searches)

	exposed := renderSet(t, "exposed")
	require.Equal(t, "servicegroups.example.com", find[*networking.Ingress](t, exposed).Spec.Rules[0].Host)
	network := find[*networking.NetworkPolicy](t, exposed)
	require.Len(t, network.Spec.Ingress[0].From, 2)
	require.Len(t, network.Spec.Egress, 2, "the database and DNS")
	require.Equal(t, []networking.NetworkPolicyEgressRule{{}}, find[*networking.NetworkPolicy](t, renderSet(t, "nova")).Spec.Egress)

	nova := container(t, renderSet(t, "nova"))
	require.Equal(t, "nova-database", nova.Env[0].ValueFrom.SecretKeyRef.Name)
	for _, object := range all[*core.ConfigMap](t, renderSet(t, "nova")) {
		require.Equal(t, "monitoring", object.Namespace)
	}
}

// The schema refuses values that are wrong, and names them.
func TestChartsWrongValues(t *testing.T) {
	for values, want := range map[string]string{
		"replica: 2":              "additional properties 'replica' not allowed",
		"replicas: two":           "at '/replicas': got string, want integer",
		"replicas: 0":             "at '/replicas': minimum: got 0, want 1",
		"image: {digest: latest}": "at '/image/digest': 'latest' does not match pattern",
		"image: {registry: registry.example.com/}":       "at '/image/registry'",
		"image: {pullPolicy: always}":                    "at '/image/pullPolicy': value must be one of '', 'Always', 'IfNotPresent', 'Never'",
		"serviceMonitor: {scrapeTimeout: soon}":          "at '/serviceMonitor/scrapeTimeout': 'soon' does not match pattern",
		"serviceMonitor: {enable: true}":                 "at '/serviceMonitor': additional properties 'enable' not allowed",
		"serviceMonitor: {scheme: HTTPS}":                "at '/serviceMonitor/scheme': value must be one of '', 'http', 'https'",
		"serviceMonitor: {relabelings: [{target: a}]}":   "additional properties 'target' not allowed",
		"serviceMonitor: {basicAuth: {password: a}}":     "at '/serviceMonitor/basicAuth/password': got string, want object",
		"serviceMonitor: {tlsConfig: {insecure: true}}":  "at '/serviceMonitor/tlsConfig': additional properties 'insecure' not allowed",
		"webConfig: {config: {basic_auth: {a: b}}}":      "at '/webConfig/config': additional properties 'basic_auth' not allowed",
		"extraSecretMounts: [{name: tls}]":               "at '/extraSecretMounts/0': missing properties 'secretName', 'mountPath'",
		"env: [{value: a}]":                              "at '/env/0': missing property 'name'",
		"podLabels: {inject: false}":                     "at '/podLabels/inject': got boolean, want string",
		"ingress: {enabled: true}":                       "at '/ingress/hosts': minItems: got 0, want 1",
		"persistence: {size: 64MB}":                      "at '/persistence/size': '64MB' does not match pattern",
		"tolerations: [{effect: NoRun}]":                 "at '/tolerations/0/effect': value must be one of",
		"args: [compat.openstack-exporter]":              "at '/args/0': 'compat.openstack-exporter' does not match pattern '^-'",
		"dashboards: {files: {Overview: a}}":             "invalid propertyName 'Overview'",
		"extraManifests: [1]":                            "at '/extraManifests/0'",
		"configFile: '- a'":                              "configFile is not a YAML object",
		"{configFile: 'a: b', existingSecret: c}":        "set existingSecret or configFile, not both",
		"prometheusRule: {enabled: true, rules: 'a: b'}": "prometheusRule.rules has no groups",
	} {
		_, err := tryRender(t, values)
		require.ErrorContains(t, err, want, values)
	}
}
