package layout

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// For any layout and any znode, nothing panics, and a valid layout has a name or errNoField for every znode that matches.
func FuzzLayout(f *testing.F) {
	f.Add("/discovery/{group}/{member}", "(.*)_[0-9]+", "{1}:{serviceEndpoint.host}", "a_1", []byte(`{"serviceEndpoint":{"host":"h"}}`))
	f.Add("/{member}/x", "", "{0}{a.b.c}", "\x00\xff", []byte(`{"a":{"b":[1e999]}}`))
	f.Add("/a//{member}", "(", "{{}}", "", []byte(strings.Repeat("[", 20000)))
	f.Fuzz(func(t *testing.T, path, match, name, znode string, data []byte) {
		c := Custom{Paths: []string{path}, Match: match, Name: name, Group: "g", Status: &Check{Field: "status", Is: []string{"UP"}}}
		if strings.Contains(path, levelGroup) {
			c.Group = ""
		}
		tree, err := c.Compile("/root", nil)
		if err != nil {
			return
		}
		fields := readFields(data, tree.fields)
		if groups := tree.naming.matchName(znode); groups != nil {
			_, err := tree.naming.name(groups, fields)
			if err != nil {
				require.ErrorIs(t, err, errNoField)
			}
			tree.status.matches(fields)
		}
	})
}
