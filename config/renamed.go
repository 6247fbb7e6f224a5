package config

import "gopkg.in/yaml.v3"

// A rename is the new name of a key that a section had in an earlier version.
type rename struct {
	key    string
	values map[string]string // the new names of values, by their old names
}

// renamedKeys returns the new names of the keys that a section had in earlier versions, by the old names.
func renamedKeys(section any) map[string]rename {
	switch section.(type) {
	case *Source:
		return map[string]rename{"expose": {"member_metrics", map[string]string{"up": MemberMetricsMinimal}}}
	case *DB:
		return map[string]rename{"rule": {key: "verdict"}}
	case *DBCustom:
		return map[string]rename{"future": {key: "future_heartbeats"}, "limit": {key: "boundary"}}
	case *MC:
		return map[string]rename{"keys": {key: "key_format"}}
	}
	return nil
}

// renamed adds the mistake that a key has its old name.
func (d *decoder) renamed(new rename, key, value *yaml.Node, path string) {
	path = join(path, key.Value)
	if newValue, ok := new.values[value.Value]; ok {
		d.addf(key.Line, path, "is called %s now; %q is %q", new.key, value.Value, newValue)
		return
	}
	d.addf(key.Line, path, "is called %s now", new.key)
}
