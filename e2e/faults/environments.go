package main

import (
	"slices"

	"servicegroup_exporter/internal/testserver"
)

// allLabs are all faults, by the lab that they occur in.
func allLabs() []labSpec {
	return []labSpec{
		{name: "MariaDB", open: openMariaDB, faults: slices.Concat(
			[]fault{killed(), quick(frozen()), restarted(), quick(readOnlyShortly()), readOnly(), noRights()},
			network(), exporterFaults(), []fault{memberFrozen(), memberFrozenLong()},
		)},
		{name: "MariaDB with libfaketime", open: openShiftedMariaDB, faults: onlyQuick(serverClocks(), clockAhead)},
		{name: "MariaDB", open: openMariaDB, shifted: true, faults: exporterClocks()},
		{name: "MariaDB behind a slow network", open: openMariaDB, relayed: true, faults: slowNetwork()},
		{name: "MariaDB with a binary log", open: openBinlogMariaDB, faults: []fault{binlogDiskFull()}},
		{name: "MariaDB replica", open: openReplica, faults: []fault{replicaLate(), replicaStopped()}},
		{name: "PostgreSQL", open: openPostgreSQL, faults: []fault{killed(), frozen(), restarted(), exporterCutOff(), membersCutOff()}},

		{name: "ZooKeeper", open: openZooKeeper, faults: slices.Concat(
			[]fault{killed(), frozen(), quick(restarted())}, onlyQuick(network(), membersCutOff().name), exporterFaults(),
			[]fault{memberFrozen(), memberFrozenLong()},
		)},
		{name: "ZooKeeper, three servers", open: openEnsemble, alertmanager: true, faults: []fault{
			quick(leaderKilled()), leaderFrozen(), followerStale(), quick(quorumLost()), quorumFrozen(), followersFrozen(), exporterFrozen(),
			alertmanagerGone(), alertmanagerFrozen(),
		}},
		{name: "ZooKeeper with libfaketime", open: openShiftedZooKeeper, faults: serverClocks()},
		{name: "ZooKeeper", open: openZooKeeper, shifted: true, faults: exporterClocks()},
		{name: "ZooKeeper behind a slow network", open: openZooKeeper, relayed: true, faults: slowNetwork()},
		{name: "ZooKeeper with a small disk", open: openSmallZooKeeper, faults: []fault{zookeeperDiskFull()}},

		{name: "memcached", open: openMemcached, faults: slices.Concat(
			[]fault{killed(), frozen(), restarted(), quick(flushed())}, onlyQuick(network(), exporterCutOff().name),
			[]fault{memberFrozen(), memberFrozenLong()},
		)},
		{name: "memcached", open: openMemcached, faults: onlyQuick(exporterFaults(), exporterKilled().name, memoryDamaged().name)},
		{name: "memcached with libfaketime", open: openShiftedMemcached, faults: onlyQuick(serverClocks(), clockAhead)},
		{name: "memcached", open: openMemcached, shifted: true, faults: exporterClocks()},
		{name: "memcached behind a slow network", open: openMemcached, relayed: true, faults: slowNetwork()},
	}
}

// onlyQuick marks the faults of these names.
func onlyQuick(faults []fault, names ...string) []fault {
	for i := range faults {
		faults[i].quick = slices.Contains(names, faults[i].name)
	}
	return faults
}

// The labs with libfaketime.

func openShiftedMariaDB(l *lab) backend {
	server := mariaDB(l)
	shiftable(l, server.Process)
	return newMariaDB(server)
}

func openShiftedZooKeeper(l *lab) backend {
	b := openZooKeeper(l).(*zkBackend)
	shiftable(l, b.Process)
	return b
}

func openShiftedMemcached(l *lab) backend {
	b := openMemcached(l).(*memcachedBackend)
	shiftable(l, b.Process)
	return b
}

func flushed() fault {
	return fault{name: "flush_all", begin: func(l *lab) { l.backend.(*memcachedBackend).Command("flush_all") }}
}

// What may happen to an ensemble, and to Alertmanager.

func leaderKilled() fault {
	var leader *testserver.ZK
	return fault{
		name: "leader killed, and started 8 s later", broken: away,
		begin: func(l *lab) { leader = testserver.Leader(l.TB, ensemble(l)); leader.Kill() }, end: func(*lab) { leader.Start() },
	}
}

func leaderFrozen() fault {
	var leader *testserver.ZK
	return fault{
		name: "leader frozen for 8 s", broken: away,
		begin: func(l *lab) { leader = testserver.Leader(l.TB, ensemble(l)); leader.Freeze() }, end: func(*lab) { leader.Thaw() },
	}
}

func followerStale() fault {
	s := new(staleFollower)
	return fault{name: "the exporter's own follower frozen for 8 s", broken: away, begin: s.begin, end: s.end}
}

func quorumLost() fault {
	return fault{
		name: "quorum lost: two of three killed, and started 8 s later", broken: away,
		begin: func(l *lab) { each(ensemble(l)[:2], (*testserver.ZK).Kill) },
		end: func(l *lab) {
			each(ensemble(l)[:2], (*testserver.ZK).StartOnly)
			each(ensemble(l)[:2], (*testserver.ZK).WaitReady)
		},
	}
}

func quorumFrozen() fault {
	var frozen []*testserver.ZK
	return fault{
		name: "quorum lost: the leader and a follower frozen for 8 s", broken: away,
		begin: func(l *lab) {
			leader := testserver.Leader(l.TB, ensemble(l))
			frozen = append(followers(l, leader)[:1], leader)
			each(frozen, (*testserver.ZK).Freeze)
		},
		end: func(*lab) { each(frozen, (*testserver.ZK).Thaw) },
	}
}

// followersFrozen leaves a leader alone that does not miss its followers before syncLimit, 20 of its ticks. Till then it
// answers as if it had a quorum, and it drops members that it can't hear as soon as somebody can agree to that: their deaths
// are its verdict, and nobody else's.
func followersFrozen() fault {
	var frozen []*testserver.ZK
	return fault{
		name: "quorum lost: both followers frozen for 8 s, less than syncLimit", broken: away, doubtful: true,
		begin: func(l *lab) {
			frozen = followers(l, testserver.Leader(l.TB, ensemble(l)))
			each(frozen, (*testserver.ZK).Freeze)
		},
		end: func(*lab) { each(frozen, (*testserver.ZK).Thaw) },
	}
}

func followers(l *lab, leader *testserver.ZK) []*testserver.ZK {
	return slices.DeleteFunc(slices.Clone(ensemble(l)), func(z *testserver.ZK) bool { return z == leader })
}

func alertmanagerGone() fault {
	return fault{
		name: "Alertmanager killed, and started 8 s later", broken: away,
		begin: func(l *lab) { l.alerts.Kill() }, end: func(l *lab) { l.alerts.Start() },
	}
}

func alertmanagerFrozen() fault {
	return fault{
		name: "Alertmanager frozen for 8 s", broken: away,
		begin: func(l *lab) { l.alerts.Freeze() }, end: func(l *lab) { l.alerts.Thaw() },
	}
}

// A small disk, which is full before ZooKeeper has room for its next transactions.

func openSmallZooKeeper(l *lab) backend {
	l.small = newDisk(l, "zookeeper", 8<<20)
	z := testserver.ZooKeeper(l.TB, append(listening(), "dataDir="+l.small.path, "preAllocSize=4")...)
	return &zkBackend{z.Process, []*testserver.ZK{z}}
}

func zookeeperDiskFull() fault {
	return fault{
		name: "disk full for 8 s, which ends the server, and started then", broken: away,
		begin: func(l *lab) { l.small.fill() },
		end: func(l *lab) {
			l.small.free()
			if l.backend.(*zkBackend).Crashed() {
				l.backend.Start()
			}
		},
	}
}

func each[T any](all []T, do func(T)) {
	for _, one := range all {
		do(one)
	}
}
