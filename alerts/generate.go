package alerts

// The shipped rule files are the output of the command for a configuration without the section "alerting".
//
//go:generate sh -c "go run .. rules > servicegroup.rules.yml"
//go:generate sh -c "go run .. rules --format=prometheusrule > servicegroup.prometheusrule.yml"
