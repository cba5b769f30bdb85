package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// bare makes one request for each call.
var bare = sim.Policy{Name: "bare", New: func(site sim.Site) (sim.Client, error) { return sim.Over(site.Base), nil }}

func play(t *testing.T, scenario sim.Scenario, p sim.Policy, seed uint64) *sim.Result {
	t.Helper()
	require.NoError(t, scenario.Validate())
	r, err := sim.Run(func(f func()) { synctest.Test(t, func(*testing.T) { f() }) }, scenario, p, seed)
	require.NoError(t, err)
	return r
}

// exact returns a scenario in which an accepted call takes 50 ms and a throttled one 22 ms, whatever the seed.
func exact() sim.Scenario {
	c := sim.Defaults()
	c.Name, c.Latency.Network = "exact", [2]sim.Duration{10 * ms, 10 * ms}
	return c
}

func TestRun_closedLoad(t *testing.T) {
	c := exact()
	c.Calls, c.Workers, c.Quota = 3, 1, sim.Quota{Rate: 1, Burst: 1}
	r := play(t, c, bare, 1)
	// 0.000 accepted, 0.050 throttled, 1.072 accepted, 1.122 throttled, 2.144 accepted: each pause begins after a throttled 22 ms.
	assert.Equal(t, 3, r.OK)
	assert.Equal(t, 2, r.Failed)
	assert.Equal(t, 0, r.Left)
	assert.Equal(t, 5, r.Sent)
	assert.Equal(t, 2, r.Throttled)
	assert.Equal(t, 2194*time.Millisecond, r.Makespan)
	assert.Equal(t, 2*time.Second, r.Limit.Makespan.Round(10*time.Millisecond))
	assert.Equal(t, []time.Duration{50 * time.Millisecond, 50 * time.Millisecond, 50 * time.Millisecond}, r.Succeeded)
	assert.Equal(t, []time.Duration{22 * time.Millisecond, 22 * time.Millisecond}, r.Refused)
	assert.Equal(t, map[string]int{"RequestLimitExceeded": 2}, r.Causes)
	assert.Equal(t, []sim.Second{
		{Offered: 2, OK: 1, Failed: 1, Sent: 2, Accepted: 1, Throttled: 1, Quota: 1},
		{Offered: 2, OK: 1, Failed: 1, Sent: 2, Accepted: 1, Throttled: 1, Quota: 1},
		{Offered: 1, OK: 1, Sent: 1, Accepted: 1, Quota: 1},
	}, r.Seconds)
	assert.Nil(t, r.Disturbance)
}

// A handed-back call is made by whoever is free: of two workers one pauses while the other goes on.
func TestRun_handsBack(t *testing.T) {
	c := exact()
	c.Calls, c.Workers, c.Quota = 2, 2, sim.Quota{Rate: 1, Burst: 1}
	r := play(t, c, bare, 1)
	assert.Equal(t, 2, r.OK)
	assert.Equal(t, 1, r.Failed) // back at 1.022, made at once by the worker that had nothing to do, and accepted
	assert.Equal(t, 1072*time.Millisecond, r.Makespan.Round(time.Millisecond))
}

func TestRun_openLoadWithOutage(t *testing.T) {
	c := exact()
	c.Latency = sim.Latency{}
	c.Arrivals, c.Deadline = sim.Arrivals{Rate: 10, For: 4 * s}, s
	c.Outage = sim.Outage{From: s, Until: 3 * s, InternalError: 1}
	r := play(t, c, bare, 1)
	assert.Equal(t, 20, r.OK)
	assert.Equal(t, 20, r.Failed)
	assert.Equal(t, 40, r.Sent)
	assert.Equal(t, map[string]int{"InternalError": 20}, r.Causes)
	assert.Equal(t, 20, r.Limit.FailFast)
	assert.InDelta(t, 30, r.Limit.OK, 1, "those of the last second of the outage can be held until it is over")
	require.NotNil(t, r.Disturbance)
	assert.InDelta(t, 1, r.Disturbance.PerCall, 0)
	assert.True(t, math.IsNaN(r.Disturbance.Used), "the service can do nothing")
	assert.Zero(t, r.Disturbance.Recovery)
	assert.Less(t, r.Disturbance.FirstOK, 100*time.Millisecond)
	for i, second := range r.Seconds {
		assert.Equal(t, 10, second.Offered, "second %d", i)
	}
}

func TestRun_deadline(t *testing.T) {
	c := exact()
	c.Arrivals, c.Deadline = sim.Arrivals{Rate: 1, For: 3 * s}, 2*s
	c.Outage = sim.Outage{Until: 10 * s, Hang: 1}
	r := play(t, c, bare, 1)
	assert.Equal(t, 3, r.Failed)
	assert.Equal(t, map[string]int{"deadline": 3}, r.Causes)
	assert.Equal(t, 2*time.Second, r.Refused[0])
	assert.Equal(t, 2*time.Second, r.Refused[2])
}

// Who refuses to wait is measured by what can be had without.
func TestRun_limitOfTheImpatient(t *testing.T) {
	c := exact()
	c.Arrivals, c.Deadline, c.Quota = sim.Arrivals{Rate: 10, For: 20 * s}, 10*s, sim.Quota{Rate: 5, Burst: 5}
	impatient := bare
	impatient.MaxWait = 2 * time.Second
	assert.InDelta(t, 5+5*30, play(t, c, bare, 1).Limit.OK, 1)
	assert.InDelta(t, 5+5*22, play(t, c, impatient, 1).Limit.OK, 1)
	impatient.MaxWait = time.Minute
	assert.InDelta(t, 5+5*30, play(t, c, impatient, 1).Limit.OK, 1)
}

func TestRun_brownoutUsesTheCapacity(t *testing.T) {
	c := exact()
	c.Arrivals, c.Deadline = sim.Arrivals{Rate: 10, For: 30 * s}, s
	c.Brownout = sim.Brownout{From: 10 * s, Until: 20 * s, Capacity: sim.Capacity{Rate: 10}}
	r := play(t, c, bare, 1)
	assert.Equal(t, 300, r.OK)
	require.NotNil(t, r.Disturbance)
	assert.InDelta(t, 1, r.Disturbance.Used, .02)
	assert.InDelta(t, 1, r.Disturbance.PerCall, .02)
}

// A batch that would never end is broken off.
func TestRun_givesUp(t *testing.T) {
	refuse := sim.Policy{Name: "refuse", New: func(sim.Site) (sim.Client, error) {
		return func(context.Context) error { return sim.Explain(errors.New("no"), "on principle") }, nil
	}}
	c := exact()
	c.Calls, c.Workers, c.Processes, c.Quota, c.Deadline = 5, 10, 2, sim.Quota{Rate: 10, Burst: 1}, s
	r := play(t, c, refuse, 1)
	assert.Zero(t, r.OK)
	assert.Equal(t, 10, r.Left)
	assert.Equal(t, r.Failed, r.Causes["on principle"])
	for _, m := range sim.Metrics() {
		if m.Name == "makespan_s" {
			assert.True(t, math.IsInf(m.Of(r), 1))
		}
	}
}

func TestRun_policyError(t *testing.T) {
	broken := sim.Policy{Name: "broken", New: func(sim.Site) (sim.Client, error) { return nil, http.ErrServerClosed }}
	c := exact()
	c.Calls, c.Workers = 1, 1
	_, err := sim.Run(func(f func()) { f() }, c, broken, 1)
	assert.ErrorIs(t, err, http.ErrServerClosed)
	assert.ErrorContains(t, err, "broken")
}

func TestRun_sameSeedSameRun(t *testing.T) {
	for _, scenario := range sim.Builtin() {
		t.Run(scenario.Name, func(t *testing.T) {
			if scenario.Open() {
				scenario.Arrivals.For = 60 * s // a part of them will do
			} else {
				scenario.Calls /= 10
				scenario.Workers /= 10
			}
			first := text(play(t, scenario, bare, 1))
			assert.True(t, first == text(play(t, scenario, bare, 1)), "the same seed")
			assert.False(t, first == text(play(t, scenario, bare, 2)), "another seed")
		})
	}
}

// text has everything of a result. It can be compared, which NaN cannot.
func text(r *sim.Result) string {
	disturbance := r.Disturbance
	r.Disturbance = nil
	return fmt.Sprintf("%+v %+v", r, disturbance)
}

func TestRun_poisson(t *testing.T) {
	c := exact()
	c.Arrivals = sim.Arrivals{Rate: 10, For: 100 * s, Poisson: true}
	r := play(t, c, bare, 1)
	assert.InDelta(t, 1000, r.OK, 100)
	assert.NotEqual(t, r.Seconds[0].Offered, r.Seconds[1].Offered)
}
