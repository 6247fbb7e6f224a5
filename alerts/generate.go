package alerts

// The files that are shipped are what the command prints for a configuration that says nothing about alerts.
//
//go:generate sh -c "go run .. rules > servicegroup.rules.yml"
//go:generate sh -c "go run .. rules --format=prometheusrule > servicegroup.prometheusrule.yml"
