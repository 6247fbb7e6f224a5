package drivers

import "regexp"

// placeholders match what shells, Compose, Kubernetes, Jinja and Helm replace by a value before a program reads its settings:
// ${NAME}, ${NAME:-default}, $(NAME) and {{ name }}.
var placeholders = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*(:?[-?+=][^}]*)?\}|\$\([A-Za-z_][A-Za-z0-9_]*\)|\{\{.*\}\}`)

// HasPlaceholder reports whether a text still has a placeholder for a value, such as ${DB_HOST}. This program expands none.
func HasPlaceholder(text string) bool { return placeholders.MatchString(text) }
