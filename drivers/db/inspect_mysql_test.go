package db

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The lines are as SHOW GRANTS of MariaDB and MySQL prints them.
func TestReadGrant(t *testing.T) {
	for line, want := range map[string][2][]string{
		"GRANT USAGE ON *.* TO `reader`@`%` IDENTIFIED BY PASSWORD '*0123'":           {},
		"GRANT SELECT ON `nova`.`services` TO `reader`@`%`":                           {{"SELECT on `nova`.`services`"}, nil},
		"GRANT SELECT (`host`, `topic`), UPDATE (`host`) ON `nova`.* TO `reader`@`%`": {{"SELECT on `nova`.*"}, {"UPDATE on `nova`.*"}},
		"GRANT SELECT, INSERT ON `own`.`heart beats` TO `writer`@`%`":                 {{"SELECT on `own`.`heart beats`"}, {"INSERT on `own`.`heart beats`"}},
		"GRANT SELECT ON `nova`.* TO `reader`@`%` WITH GRANT OPTION":                  {{"SELECT on `nova`.*"}, {"GRANT OPTION on `nova`.*"}},
		"GRANT SELECT ON *.* TO `reader`@`%`":                                         {nil, {"SELECT on *.*"}},
		"GRANT PROXY ON ''@'%' TO 'root'@'localhost'":                                 {nil, {"PROXY on ''@'%'"}},
		"GRANT SELECT, DELETE ON `own`.`servicegroup_canary` TO `canary`@`%`":         {},
		"GRANT `role` TO `reader`@`%`":                                                {},
	} {
		may, excess := readGrant(line)
		require.Equal(t, want, [2][]string{may, excess}, line)
	}
}
