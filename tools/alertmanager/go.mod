module servicegroup_exporter/tools/alertmanager

go 1.26.0

require github.com/prometheus/alertmanager v0.35.0
