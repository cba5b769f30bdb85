package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

const (
	ms = sim.Duration(time.Millisecond)
	s  = sim.Duration(time.Second)
)

// The numbers are those of the table that the scenarios were ordered by, and S6 is 20 + 30*20 + 30*5 calls in the first minute, and
// 50 a second after it.
func TestLimit_Builtin(t *testing.T) {
	want := map[string]sim.Limit{
		"S1": {OK: 2000, Makespan: 99 * time.Second, FailFast: 2000},
		"S2": {OK: 2250, FailFast: 1800},
		"S3": {OK: 3020, FailFast: 3020},
		"S4": {FailFast: 2100, OK: 2100, Disturbed: 300},
		"S5": {OK: 5000, Makespan: 249 * time.Second, FailFast: 5000},
		"S6": {OK: 2000, Makespan: 84600 * time.Millisecond, FailFast: 2000},
		"S7": {OK: 2000, Makespan: 99 * time.Second, FailFast: 2000},
	}
	for _, scenario := range sim.Builtin() {
		t.Run(scenario.Name, func(t *testing.T) {
			require.NoError(t, scenario.Validate())
			got, want := scenario.Limit(), want[scenario.Name]
			assert.InDelta(t, want.OK, got.OK, 1)
			assert.InDelta(t, want.FailFast, got.FailFast, 1)
			assert.InDelta(t, want.Disturbed, got.Disturbed, 1)
			if !scenario.Open() {
				assert.InDelta(t, want.Makespan.Seconds(), got.Makespan.Seconds(), .002)
			}
		})
	}
}

func TestLimit(t *testing.T) {
	closed := func(change func(*sim.Scenario)) sim.Scenario {
		c := sim.Defaults()
		c.Name, c.Calls, c.Workers, c.Quota = "closed", 100, 10, sim.Quota{Rate: 10, Burst: 10}
		change(&c)
		return c
	}
	open := func(change func(*sim.Scenario)) sim.Scenario {
		c := sim.Defaults()
		c.Name, c.Arrivals, c.Deadline = "open", sim.Arrivals{Rate: 10, For: 10 * s}, s
		change(&c)
		return c
	}
	for _, tt := range []struct {
		name     string
		scenario sim.Scenario
		ok       int
		makespan time.Duration // not looked at if zero
	}{
		{"bucket", closed(func(*sim.Scenario) {}), 100, 9 * time.Second},
		{"no quota", closed(func(c *sim.Scenario) { c.Quota = sim.Quota{} }), 100, 0},
		{"processes share", closed(func(c *sim.Scenario) { c.Processes = 3 }), 300, 29 * time.Second},
		{"window", closed(func(c *sim.Scenario) { c.Quota = sim.Quota{Limit: 30, Window: 7 * s} }), 100, 0},
		{"capacity", closed(func(c *sim.Scenario) { c.Quota, c.Capacity.Rate = sim.Quota{}, 4 }), 100, 24750 * time.Millisecond},
		{"quota ends", closed(func(c *sim.Scenario) { c.Changes = []sim.QuotaChange{{At: 3 * s}} }), 100, 3 * time.Second},
		{"quota begins", closed(func(c *sim.Scenario) {
			c.Quota, c.Capacity.Rate = sim.Quota{}, 20
			c.Changes = []sim.QuotaChange{{At: 2 * s, Quota: sim.Quota{Rate: 10, Burst: 10}}}
		}), 100, 7 * time.Second}, // 40 until 2 s; the bucket's 10 at 20 a second with what comes meanwhile, and then 10 a second
		{"half fails", closed(func(c *sim.Scenario) { c.Outage = sim.Outage{Until: 1000 * s, InternalError: .5} }), 100, 19 * time.Second},
		{"half never arrives", closed(func(c *sim.Scenario) { c.Outage = sim.Outage{Until: 1000 * s, Refuse: .25, Unavailable: .25} }), 100, 9 * time.Second},
		{"outage", closed(func(c *sim.Scenario) { c.Outage = sim.Outage{From: s, Until: 5 * s, Hang: 1} }), 100, 12100 * time.Millisecond},
		{"fast", closed(func(c *sim.Scenario) { c.Quota, c.Calls = sim.Quota{Rate: 5000, Burst: 1}, 50000 }), 50000, 10 * time.Second},
		{"fast capacity", closed(func(c *sim.Scenario) { c.Quota, c.Capacity.Rate, c.Calls = sim.Quota{}, 5000, 50000 }), 50000, 10 * time.Second},
		{"a day", open(func(c *sim.Scenario) { c.Arrivals.For, c.Quota = 86400*s, sim.Quota{Rate: 5, Burst: 5} }), 5 * 86400, 0},
		{"open", open(func(*sim.Scenario) {}), 100, 0},
		{"open, quota", open(func(c *sim.Scenario) { c.Quota = sim.Quota{Rate: 5, Burst: 1} }), 56, 0}, // 5 a second until 11 s, and the first
		{"open, brownout", open(func(c *sim.Scenario) {
			c.Brownout = sim.Brownout{From: 2 * s, Until: 7 * s, Capacity: sim.Capacity{Rate: 1}}
		}), 20 + 5 + 40, 0}, // of the ten that come in a second of the brownout one is served, and the last ten come through after it
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, tt.scenario.Validate())
			got := tt.scenario.Limit()
			assert.InDelta(t, tt.ok, got.OK, max(1, 1e-4*float64(tt.ok)))
			if tt.makespan > 0 {
				assert.InDelta(t, tt.makespan.Seconds(), got.Makespan.Seconds(), .003)
			}
		})
	}
}
