package alerts

import (
	"bytes"
	"fmt"

	"servicegroup_exporter/config"

	"gopkg.in/yaml.v3"
)

// ruleGroup is the name of the one group that all rules are in: they build on each other, and a group evaluates its rules
// one after the other.
const ruleGroup = "servicegroup"

// fileHeader begins the files, which are made.
const fileHeader = `# Made by "servicegroup_exporter rules": change the section "alerting" of its configuration instead of this file.
`

type groupsFile struct {
	Groups []ruleFile `yaml:"groups"`
}

type ruleFile struct {
	Name  string `yaml:"name"`
	Rules []Rule `yaml:"rules"`
}

func groups(c *config.Alerting) groupsFile {
	return groupsFile{Groups: []ruleFile{{Name: ruleGroup, Rules: Rules(c)}}}
}

// RuleFile returns the rules as a file for rule_files of prometheus.yml.
func RuleFile(c *config.Alerting) ([]byte, error) { return encode(groups(c)) }

// PrometheusRule returns the rules as a manifest for the Prometheus operator.
func PrometheusRule(c *config.Alerting) ([]byte, error) {
	type metadata struct {
		Name   string            `yaml:"name"`
		Labels map[string]string `yaml:"labels"`
	}
	return encode(struct {
		APIVersion string     `yaml:"apiVersion"`
		Kind       string     `yaml:"kind"`
		Metadata   metadata   `yaml:"metadata"`
		Spec       groupsFile `yaml:"spec"`
	}{
		"monitoring.coreos.com/v1", "PrometheusRule",
		metadata{ruleGroup, map[string]string{"app.kubernetes.io/name": "servicegroup-exporter"}},
		groups(c),
	})
}

func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(fileHeader)
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("writing the rules: %w", err)
	}
	return out.Bytes(), nil
}
