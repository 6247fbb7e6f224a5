package config

import "gopkg.in/yaml.v3"

// A rename is what has become of a key that a section had in earlier versions.
type rename struct {
	key    string
	values map[string]string // of values that have another name now, too
}

// renamedKeys returns the keys that a section had in earlier versions, by their old names.
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

// renamed notes that a key has another name now.
func (d *decoder) renamed(new rename, key, value *yaml.Node, path string) {
	path = join(path, key.Value)
	if newValue, ok := new.values[value.Value]; ok {
		d.addf(key.Line, path, "is called %s now; %q is %q", new.key, value.Value, newValue)
		return
	}
	d.addf(key.Line, path, "is called %s now", new.key)
}
