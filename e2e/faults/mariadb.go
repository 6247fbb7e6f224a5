package main

import (
	"fmt"

	"servicegroup_exporter/internal/testserver"
)

// A MariaDB that can be read but not written is worse than one that is down: the heartbeats of the members grow old, and by
// the service's own rule all members are down. The exporter reports that, as Nova does. Stalled heartbeats are visible before.

// statement returns a function that begins or ends a fault with an SQL statement.
func statement(text string) func(*environment) {
	return func(env *environment) { execute(env, env.backend.(*sqlBackend).mariaDB, text) }
}

func readOnlyBriefly() fault {
	return fault{
		name: "read-only for 2 s", duration: shortFault,
		begin: statement("SET GLOBAL read_only = 1"), end: statement("SET GLOBAL read_only = 0"),
	}
}

func readOnly() fault {
	return fault{
		name: "read-only for 8 s", duration: faultDuration, silent: true, check: stalled, says: `warning server: the server is read-only`,
		begin: statement("SET GLOBAL read_only = 1"), end: statement("SET GLOBAL read_only = 0"),
	}
}

func noRights() fault {
	return fault{
		name: "no right to write for 8 s", duration: faultDuration, silent: true, check: stalled,
		says:  `warning (heartbeat: all heartbeats have stopped|members: .*no member is up)`,
		begin: statement("REVOKE UPDATE ON nova.services FROM member"), end: statement("GRANT UPDATE ON nova.services TO member"),
	}
}

// A binary log on a small disk:

func openBinlogMariaDB(env *environment) backend {
	env.backendDisk = newDisk(env, "binlog", 4<<20)
	return newMariaDB(mariaDB(env, "--server-id=1", "--log-bin="+env.backendDisk.path+"/log"))
}

// binlogDiskFull blocks every transaction. MariaDB checks every minute whether the disk has space again.
func binlogDiskFull() fault {
	return fault{
		name: "disk full for 8 s", duration: faultDuration, silent: true, check: stalled, recovery: diskRetry + usualRecovery,
		says:  `warning (heartbeat: all heartbeats have stopped|members: .*no member is up)`,
		begin: func(env *environment) { env.backendDisk.fill() }, end: func(env *environment) { env.backendDisk.free() },
	}
}

// A replicaBackend is a primary that members write to, and a replica that the exporter reads.
type replicaBackend struct {
	*sqlBackend // the replica
	primary     *testserver.SQL
}

func openReplica(env *environment) backend {
	primary := mariaDB(env, "--server-id=1", "--log-bin=log", "--binlog-format=ROW")
	replica := testserver.MariaDB(env.TB, "--server-id=2")
	execute(env, replica, fmt.Sprintf(`CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = %d, MASTER_USER = 'root',
		MASTER_LOG_FILE = 'log.000001', MASTER_LOG_POS = 4, MASTER_CONNECT_RETRY = 1; START SLAVE`, portOf(primary.Addr())))
	return &replicaBackend{newMariaDB(replica), primary}
}

func (r *replicaBackend) addresses(side string) []string {
	if side == memberSide {
		return []string{fmt.Sprintf("%s:%d", side, portOf(r.primary.Addr()))}
	}
	return r.sqlBackend.addresses(side)
}

// onReplica returns a function that begins or ends a fault with an SQL statement on the replica.
func onReplica(text string) func(*environment) {
	return func(env *environment) { execute(env, env.backend.(*replicaBackend).mariaDB, text) }
}

func replicaLate() fault {
	return fault{
		name: "2 s behind its primary for 8 s", duration: faultDuration,
		begin: onReplica("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 2; START SLAVE"),
		end:   onReplica("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 0; START SLAVE"),
	}
}

func replicaStopped() fault {
	return fault{
		name: "replication stopped for 8 s", duration: faultDuration, silent: true, check: stalled,
		says:  `warning (heartbeat: all heartbeats have stopped|members: .*no member is up)`,
		begin: onReplica("STOP SLAVE SQL_THREAD"), end: onReplica("START SLAVE SQL_THREAD"),
	}
}
