package db

import (
	"context"
	"database/sql"
	"fmt"

	"servicegroup_exporter/drivers"
)

// galera returns the finding about a node of Galera, none for another server. A node that refuses queries still answers these. An
// account needs no rights for them.
func galera(ctx context.Context, conn *sql.Conn) ([]drivers.Finding, error) {
	const subject = "cluster"
	status := map[string]string{}
	for _, query := range []string{
		"SHOW STATUS WHERE Variable_name IN ('wsrep_local_state_comment', 'wsrep_cluster_status', 'wsrep_cluster_size', 'wsrep_ready')",
		"SHOW VARIABLES WHERE Variable_name = 'wsrep_reject_queries'",
	} {
		rows, err := conn.QueryContext(ctx, query)
		if err != nil {
			return nil, err
		}
		if err := forEachRow(rows, func(rows *sql.Rows) error {
			var name, value string
			err := rows.Scan(&name, &value)
			status[name] = value
			return err
		}); err != nil {
			return nil, err
		}
	}
	state, cluster := status["wsrep_local_state_comment"], status["wsrep_cluster_status"]
	rejects := status["wsrep_reject_queries"]
	const elsewhere = "let the load balancer check the nodes, as with clustercheck, and close connections to a node that fails; repair the node"
	switch {
	case state == "":
		return nil, nil // MariaDB without Galera has the other lines too.
	case rejects != "" && rejects != "NONE":
		return []drivers.Finding{drivers.Failure(subject, "the Galera node refuses queries: wsrep_reject_queries is set to "+rejects, elsewhere)}, nil
	case status["wsrep_ready"] != "ON" || cluster != "Primary":
		return []drivers.Finding{drivers.Failure(subject, fmt.Sprintf("the Galera node refuses queries: it is %s in a cluster that is %s", state, cluster),
			elsewhere)}, nil
	case state != "Synced":
		return []drivers.Finding{drivers.Warning(subject, fmt.Sprintf("the Galera node is %s, and may be behind the others: heartbeats arrive there late", state),
			elsewhere)}, nil
	}
	return []drivers.Finding{drivers.OK(subject, "the Galera node is Synced, one of %s in a cluster that is Primary", status["wsrep_cluster_size"])}, nil
}
