package policy_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/bench/policy"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// aim is what a policy must reach in a scenario, by the names of sim.Metrics: at least, or at most.
type aim struct {
	scenario, policy string
	least, most      map[string]float64
}

// What this project is measured by, a little slack apart: three seeds are few, and each draws other latencies.
var aims = []aim{
	{"S1", "ours", nil, map[string]float64{"failed": 1, "wasted_after_3s": .012, "makespan_of_limit": 1.02}},
	{"S1", "ours+limit", nil, map[string]float64{"failed": 0, "wasted_after_3s": 0, "makespan_of_limit": 1.01}},
	{"S2", "ours", map[string]float64{"ok": 1800}, map[string]float64{"disturbed_requests_per_call": .25, "recovery_s": 3.2}},
	{"S2", "ours+hold", map[string]float64{"ok": 2140}, map[string]float64{"disturbed_requests_per_call": .18, "recovery_s": 3.2}},
	{"S3", "ours", map[string]float64{"ok_of_limit": .97}, map[string]float64{"wasted_after_3s": .016}},
	{"S3", "ours+limit", map[string]float64{"ok_of_limit": .98}, map[string]float64{"wasted_after_3s": 0}},
	{"S3", "ours+maxwait", map[string]float64{"ok_of_limit": .97}, map[string]float64{"p50_s": 3, "failed_p50_s": .01}},
	{"S4", "ours", map[string]float64{"disturbed_capacity_used": .95}, map[string]float64{"disturbed_requests_per_call": .35, "recovery_s": 4}},
	{"S5", "ours", map[string]float64{"least_share_60s": .45}, map[string]float64{"failed": 50, "wasted_after_3s": .037, "makespan_of_limit": 1.12}},
	{"S6", "ours", nil, map[string]float64{"failed": 1, "wasted_after_3s": .04, "makespan_of_limit": 1.09}},
	{"S7", "ours", nil, map[string]float64{"failed": 1, "wasted_after_3s": .04, "makespan_of_limit": 1.09}},
}

func TestOurs_reachesItsAims(t *testing.T) {
	for _, a := range aims {
		t.Run(a.scenario+" "+a.policy, func(t *testing.T) {
			t.Parallel()
			scenarios, specs := sim.Builtin(), policy.Builtin()
			scenario := scenarios[slices.IndexFunc(scenarios, func(s sim.Scenario) bool { return s.Name == a.scenario })]
			p, err := specs[slices.IndexFunc(specs, func(s policy.Spec) bool { return s.Name == a.policy })].Policy()
			require.NoError(t, err)
			var results []*sim.Result
			for seed := range uint64(3) {
				r, err := sim.Run(func(f func()) {
					t.Run("", func(t *testing.T) { synctest.Test(t, func(*testing.T) { f() }) })
				}, scenario, p, seed+1)
				require.NoError(t, err)
				results = append(results, r)
			}
			for _, m := range sim.Metrics() {
				got := m.Median(results)
				if most, ok := a.most[m.Name]; ok {
					assert.LessOrEqual(t, got, most, m.Name)
				}
				if least, ok := a.least[m.Name]; ok {
					assert.GreaterOrEqual(t, got, least, m.Name)
				}
			}
		})
	}
}
