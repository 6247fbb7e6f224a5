package sites

import "testing"

// TestLong runs what takes minutes, or needs what `make evaluators` builds.
func TestLong(t *testing.T) {
	if !*all {
		return
	}
	for name, test := range map[string]func(*testing.T){
		"two clouds, external label":  func(t *testing.T) { t.Parallel(); testClouds(t, 2, true) },
		"two clouds, target label":    func(t *testing.T) { t.Parallel(); testClouds(t, 2, false) },
		"cloud is away":               testCloudIsAway,
		"federation":                  testFederation,
		"native histograms":           testNativeHistograms,
		"replicas behind one address": testReplicasBehindOneAddress,
		"pair of Prometheis":          testPrometheusPair,
	} {
		t.Run(name, test)
	}
}
