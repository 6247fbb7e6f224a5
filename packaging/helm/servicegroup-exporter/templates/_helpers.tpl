{{- define "servicegroup-exporter.name" -}}
{{ .Values.fullnameOverride | default .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "servicegroup-exporter.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The labels of an object. The chart's own go before commonLabels. */}}
{{- define "servicegroup-exporter.labels" -}}
{{- $own := include "servicegroup-exporter.selector" . | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_")) }}
{{- merge $own .Values.commonLabels | toYaml }}
{{- end }}

{{- define "servicegroup-exporter.podLabels" -}}
{{- merge (include "servicegroup-exporter.selector" . | fromYaml) .Values.podLabels .Values.commonLabels | toYaml }}
{{- end }}

{{- define "servicegroup-exporter.image" -}}
{{- $image := .Values.image }}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default (.Chart.AppVersion | replace "+" "-") }}{{ end }}
{{- end }}

{{/* The configuration, with the labels of alerts. */}}
{{- define "servicegroup-exporter.config" -}}
{{- $config := deepCopy .Values.config }}
{{- with .Values.configFile }}
{{- $config = fromYaml . }}
{{- with $config.Error }}{{ fail (printf "configFile is not a YAML object: %s" .) }}{{ end }}
{{- end }}
{{- if .Values.namespaceLabel }}
{{- $alerting := $config.alerting | default dict }}
{{- $_ := set $alerting "labels" (merge ($alerting.labels | default dict) (dict "namespace" .Release.Namespace)) }}
{{- $_ := set $config "alerting" $alerting }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* The labels that the configuration gives to all alerts. */}}
{{- define "servicegroup-exporter.alertLabels" -}}
{{- if .Values.existingSecret }}
{{- if .Values.namespaceLabel }}{{ dict "namespace" .Release.Namespace | toYaml }}{{ end }}
{{- else }}
{{- $config := include "servicegroup-exporter.config" . | fromYaml }}
{{- dig "alerting" "labels" dict $config | toYaml }}
{{- end }}
{{- end }}

{{/* The name of the Secret with the web configuration; empty: there is none. */}}
{{- define "servicegroup-exporter.webSecret" -}}
{{- if .Values.webConfig.existingSecret }}{{ .Values.webConfig.existingSecret }}
{{- else if .Values.webConfig.config }}{{ include "servicegroup-exporter.name" . }}-web
{{- end }}
{{- end }}

{{- define "servicegroup-exporter.scheme" -}}
{{- $web := .Values.webConfig }}
{{- if or (and $web.existingSecret $web.tls) (and (not $web.existingSecret) (hasKey $web.config "tls_server_config")) }}https{{ else }}http{{ end }}
{{- end }}

{{/* What a probe does. The kubelet has no certificate, so that it can only connect where one is required. */}}
{{- define "servicegroup-exporter.probe" -}}
{{- $web := .root.Values.webConfig }}
{{- $auth := dig "tls_server_config" "client_auth_type" "" $web.config }}
{{- if and (not $web.existingSecret) (has $auth (list "RequireAnyClientCert" "RequireAndVerifyClientCert")) -}}
tcpSocket: {port: http}
{{- else -}}
httpGet: {path: {{ .path }}, port: http, scheme: {{ include "servicegroup-exporter.scheme" .root | upper }}}
{{- end }}
timeoutSeconds: 5
{{- end }}

{{- define "servicegroup-exporter.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "servicegroup-exporter.name" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}
