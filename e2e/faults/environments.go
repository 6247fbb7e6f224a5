package main

import (
	"slices"

	"servicegroup_exporter/internal/testserver"
)

// allEnvironments returns all environments with their faults.
func allEnvironments() []environmentSpec {
	return []environmentSpec{
		{name: "MariaDB", open: openMariaDB, faults: slices.Concat(
			[]fault{killed(), quick(frozen()), restarted(), quick(readOnlyBriefly()), readOnly(), noRights()},
			network(), exporterFaults(), []fault{memberFrozen(), memberFrozenLong()},
		)},
		{name: "MariaDB with libfaketime", open: openShiftedMariaDB, faults: onlyQuick(serverClocks(), clockAhead)},
		{name: "MariaDB", open: openMariaDB, shifted: true, faults: exporterClocks()},
		{name: "MariaDB behind a slow network", open: openMariaDB, proxied: true, faults: slowNetwork()},
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
		{name: "ZooKeeper behind a slow network", open: openZooKeeper, proxied: true, faults: slowNetwork()},
		{name: "ZooKeeper with a small disk", open: openSmallZooKeeper, faults: []fault{zookeeperDiskFull()}},

		{name: "memcached", open: openMemcached, faults: slices.Concat(
			[]fault{killed(), frozen(), restarted(), quick(flushed())}, onlyQuick(network(), exporterCutOff().name),
			[]fault{memberFrozen(), memberFrozenLong()},
		)},
		{name: "memcached", open: openMemcached, faults: onlyQuick(exporterFaults(), exporterKilled().name, exporterDiskReadOnly().name, stateFileDamaged().name)},
		{name: "memcached with libfaketime", open: openShiftedMemcached, faults: onlyQuick(serverClocks(), clockAhead)},
		{name: "memcached", open: openMemcached, shifted: true, faults: exporterClocks()},
		{name: "memcached behind a slow network", open: openMemcached, proxied: true, faults: slowNetwork()},
	}
}

// onlyQuick marks the faults with these names as quick, and the others as not.
func onlyQuick(faults []fault, names ...string) []fault {
	for i := range faults {
		faults[i].quick = slices.Contains(names, faults[i].name)
	}
	return faults
}

// Environments with libfaketime:

func openShiftedMariaDB(env *environment) backend {
	server := mariaDB(env)
	useSettableClock(env, server.Process)
	return newMariaDB(server)
}

func openShiftedZooKeeper(env *environment) backend {
	b := openZooKeeper(env).(*zkBackend)
	useSettableClock(env, b.Process)
	return b
}

func openShiftedMemcached(env *environment) backend {
	b := openMemcached(env).(*memcachedBackend)
	useSettableClock(env, b.Process)
	return b
}

func flushed() fault {
	return fault{name: "flush_all", begin: func(env *environment) { env.backend.(*memcachedBackend).Command("flush_all") }}
}

// Faults of an ensemble, and of Alertmanager:

func leaderKilled() fault {
	var leader *testserver.ZK
	return fault{
		name: "leader killed, started 8 s later", duration: faultDuration, says: `can't connect to .*another server of the list answers`,
		begin: func(env *environment) { leader = testserver.Leader(env.TB, ensemble(env)); leader.Kill() }, end: func(*environment) { leader.Start() },
	}
}

func leaderFrozen() fault {
	var leader *testserver.ZK
	return fault{
		name: "leader frozen for 8 s", duration: faultDuration, says: `does not answer`,
		begin: func(env *environment) { leader = testserver.Leader(env.TB, ensemble(env)); leader.Freeze() }, end: func(*environment) { leader.Thaw() },
	}
}

func followerStale() fault {
	s := new(staleFollower)
	return fault{name: "follower of the exporter frozen for 8 s", duration: faultDuration, begin: s.begin, end: s.end}
}

func quorumLost() fault {
	return fault{
		name: "quorum lost: two of three killed, started 8 s later", duration: faultDuration, says: `has no quorum`,
		begin: func(env *environment) { each(ensemble(env)[:2], (*testserver.ZK).Kill) },
		end: func(env *environment) {
			each(ensemble(env)[:2], (*testserver.ZK).StartOnly)
			each(ensemble(env)[:2], (*testserver.ZK).WaitReady)
		},
	}
}

func quorumFrozen() fault {
	var frozen []*testserver.ZK
	return fault{
		name: "quorum lost: the leader and a follower frozen for 8 s", duration: faultDuration, says: `does not answer`,
		begin: func(env *environment) {
			leader := testserver.Leader(env.TB, ensemble(env))
			frozen = append(followers(env, leader)[:1], leader)
			each(frozen, (*testserver.ZK).Freeze)
		},
		end: func(*environment) { each(frozen, (*testserver.ZK).Thaw) },
	}
}

// followersFrozen freezes both followers for less than syncLimit, 20 ticks. Until then the leader does not notice, and answers
// as if it had a quorum. When the followers are back, it removes the members that it did not hear from. These deaths are the
// backend's own verdict.
func followersFrozen() fault {
	var frozen []*testserver.ZK
	return fault{
		name: "quorum lost: both followers frozen for 8 s, less than syncLimit", duration: faultDuration, maybeSilent: true,
		begin: func(env *environment) {
			frozen = followers(env, testserver.Leader(env.TB, ensemble(env)))
			each(frozen, (*testserver.ZK).Freeze)
		},
		end: func(*environment) { each(frozen, (*testserver.ZK).Thaw) },
	}
}

func followers(env *environment, leader *testserver.ZK) []*testserver.ZK {
	return slices.DeleteFunc(slices.Clone(ensemble(env)), func(z *testserver.ZK) bool { return z == leader })
}

func alertmanagerGone() fault {
	return fault{
		name: "Alertmanager killed, started 8 s later", duration: faultDuration, says: `alertmanager .* failure server: can't be used`,
		begin: func(env *environment) { env.alerts.Kill() }, end: func(env *environment) { env.alerts.Start() },
	}
}

func alertmanagerFrozen() fault {
	return fault{
		name: "Alertmanager frozen for 8 s", duration: faultDuration, says: `alertmanager .* failure server: can't be used`,
		begin: func(env *environment) { env.alerts.Freeze() }, end: func(env *environment) { env.alerts.Thaw() },
	}
}

// A disk that is too small for the next transaction log of ZooKeeper:

func openSmallZooKeeper(env *environment) backend {
	env.backendDisk = newDisk(env, "zookeeper", 8<<20)
	z := testserver.ZooKeeper(env.TB, append(serverSettings(), "dataDir="+env.backendDisk.path, "preAllocSize=4")...)
	return &zkBackend{z.Process, []*testserver.ZK{z}}
}

func zookeeperDiskFull() fault {
	return fault{
		name: "disk full for 8 s, which stops the server; started then", duration: faultDuration, says: unreachable,
		begin: func(env *environment) { env.backendDisk.fill() },
		end: func(env *environment) {
			env.backendDisk.free()
			if env.backend.(*zkBackend).Crashed() {
				env.backend.Start()
			}
		},
	}
}

func each[T any](items []T, do func(T)) {
	for _, item := range items {
		do(item)
	}
}
