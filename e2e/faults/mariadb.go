package main

import (
	"fmt"

	"servicegroup_exporter/internal/testserver"
)

// MariaDB that can be read and not written is worse than one that is gone: the members' heartbeats grow old, and by the
// service's own rule all are down. The exporter says so, as Nova does; that heartbeats have stalled is seen before.

// statement makes a fault's beginning or end of SQL.
func statement(text string) func(*lab) {
	return func(l *lab) { execute(l, l.backend.(*sqlBackend).mariaDB, text) }
}

func readOnlyShortly() fault {
	return fault{
		name: "read-only for 2 s", broken: shortly,
		begin: statement("SET GLOBAL read_only = 1"), end: statement("SET GLOBAL read_only = 0"),
	}
}

func readOnly() fault {
	return fault{
		name: "read-only for 8 s", broken: away, silent: true, check: stalled,
		begin: statement("SET GLOBAL read_only = 1"), end: statement("SET GLOBAL read_only = 0"),
	}
}

func noRights() fault {
	return fault{
		name: "no right to write for 8 s", broken: away, silent: true, check: stalled,
		begin: statement("REVOKE UPDATE ON nova.services FROM member"), end: statement("GRANT UPDATE ON nova.services TO member"),
	}
}

// A binary log on a small disk.

func openBinlogMariaDB(l *lab) backend {
	l.small = newDisk(l, "binlog", 4<<20)
	return newMariaDB(mariaDB(l, "--server-id=1", "--log-bin="+l.small.path+"/log"))
}

// binlogDiskFull keeps every transaction waiting. MariaDB looks every minute whether there is room again.
func binlogDiskFull() fault {
	return fault{
		name: "disk full for 8 s", broken: away, silent: true, check: stalled, recovery: diskRetry + usualRecovery,
		begin: func(l *lab) { l.small.fill() }, end: func(l *lab) { l.small.free() },
	}
}

// A replicaBackend is a primary that members write to, and a replica that the exporter reads.
type replicaBackend struct {
	*sqlBackend // the replica
	primary     *testserver.SQL
}

func openReplica(l *lab) backend {
	primary := mariaDB(l, "--server-id=1", "--log-bin=log", "--binlog-format=ROW")
	replica := testserver.MariaDB(l.TB, "--server-id=2")
	execute(l, replica, fmt.Sprintf(`CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = %d, MASTER_USER = 'root',
		MASTER_LOG_FILE = 'log.000001', MASTER_LOG_POS = 4, MASTER_CONNECT_RETRY = 1; START SLAVE`, portOf(primary.Addr())))
	return &replicaBackend{newMariaDB(replica), primary}
}

func (r *replicaBackend) addresses(side string) []string {
	if side == memberSide {
		return []string{fmt.Sprintf("%s:%d", side, portOf(r.primary.Addr()))}
	}
	return r.sqlBackend.addresses(side)
}

// onReplica makes a fault's beginning or end of SQL for the replica.
func onReplica(text string) func(*lab) {
	return func(l *lab) { execute(l, l.backend.(*replicaBackend).mariaDB, text) }
}

func replicaLate() fault {
	return fault{
		name: "2 s behind its primary for 8 s", broken: away,
		begin: onReplica("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 2; START SLAVE"),
		end:   onReplica("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 0; START SLAVE"),
	}
}

func replicaStopped() fault {
	return fault{
		name: "stands still for 8 s", broken: away, silent: true, check: stalled,
		begin: onReplica("STOP SLAVE SQL_THREAD"), end: onReplica("START SLAVE SQL_THREAD"),
	}
}
