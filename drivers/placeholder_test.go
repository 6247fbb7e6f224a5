package drivers

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHasPlaceholder(t *testing.T) {
	for _, text := range []string{
		"${DB_HOST}", "mysql://u:${pw}@h/nova", "${DB_HOST:-localhost}", "${A?is missing}", "$(DB_HOST):3306", "{{ db_host }}", "x{{.Values.host}}",
	} {
		require.True(t, HasPlaceholder(text), text)
	}
	for _, text := range []string{
		"", "$ecret", "a$b{c}", "p${", "{scheme}://{username}:{password}@db2/nova", "^compute-[0-9]{2}$", "${0}", "$()", "%24{NAME}", "$1{2}",
	} {
		require.False(t, HasPlaceholder(text), text)
	}
}
