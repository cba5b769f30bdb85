package sim_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		change func(*sim.Scenario)
		want   string
	}{
		{func(c *sim.Scenario) { c.Name = "" }, "name: it needs one"},
		{func(c *sim.Scenario) { c.Calls = 0 }, "want either arrivals or calls"},
		{func(c *sim.Scenario) { c.Arrivals = sim.Arrivals{Rate: 1, For: s} }, "want either arrivals or calls"},
		{func(c *sim.Scenario) { c.Calls, c.Arrivals = 0, sim.Arrivals{Rate: 1} }, "arrivals.for: 0s"},
		{func(c *sim.Scenario) { c.Calls, c.Arrivals = 0, sim.Arrivals{Rate: 1e9, For: s} }, "1 to 10 million calls"},
		{func(c *sim.Scenario) { c.Calls = -1 }, "calls: -1"},
		{func(c *sim.Scenario) { c.Workers = 0 }, "workers: 0"},
		{func(c *sim.Scenario) { c.Processes = 0 }, "processes: 0"},
		{func(c *sim.Scenario) { c.Pause = -1 }, "pause: -1ns"},
		{func(c *sim.Scenario) { c.Deadline = 0 }, "deadline: 0s"},
		{func(c *sim.Scenario) { c.Quota = sim.Quota{Rate: 20} }, "quota: rate 20, burst 0"},
		{func(c *sim.Scenario) { c.Quota = sim.Quota{Limit: 20} }, "quota: limit 20, window 0s"},
		{func(c *sim.Scenario) { c.Quota = sim.Quota{Rate: 1, Burst: 1, Limit: 20, Window: s} }, "quota: want either"},
		{func(c *sim.Scenario) { c.Quota = sim.Quota{Rate: 1e-4, Burst: 1} }, "take longer than a day"},
		{func(c *sim.Scenario) { c.Changes = []sim.QuotaChange{{At: 2 * s}, {At: s}} }, "quotaChanges[1].at: 1s"},
		{func(c *sim.Scenario) { c.Changes = []sim.QuotaChange{{At: s, Quota: sim.Quota{Rate: 1}}} }, "quotaChanges[0]: rate 1"},
		{func(c *sim.Scenario) { c.Outage = sim.Outage{From: 2 * s, Until: s, Hang: 1} }, "outage: from 2s until 1s"},
		{func(c *sim.Scenario) { c.Outage = sim.Outage{Until: s} }, "nothing fails"},
		{func(c *sim.Scenario) { c.Outage = sim.Outage{Until: s, Hang: .6, Refuse: .6} }, "add up to at most 1"},
		{func(c *sim.Scenario) { c.Outage = sim.Outage{Until: s, Hang: -1} }, "add up to at most 1"},
		{func(c *sim.Scenario) { c.Brownout = sim.Brownout{Until: s} }, "brownout.rate: 0"},
		{func(c *sim.Scenario) { c.Brownout = sim.Brownout{From: s, Capacity: sim.Capacity{Rate: 1}} }, "brownout: from 1s until 0s"},
		{func(c *sim.Scenario) {
			c.Brownout = sim.Brownout{Until: s, Capacity: sim.Capacity{Rate: 1}}
			c.Outage = sim.Outage{Until: s, Hang: 1}
		}, "not both"},
		{func(c *sim.Scenario) { c.Capacity.Rate = -1 }, "capacity: -1/s"},
		{func(c *sim.Scenario) { c.Latency.Network = [2]sim.Duration{2 * ms, ms} }, "latency.network: 2ms to 1ms"},
		{func(c *sim.Scenario) { c.Latency.Accepted = -1 }, "latency: accepted -1ns"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			c := sim.Defaults()
			c.Name, c.Calls, c.Workers = "mine", 10, 1
			assert.NoError(t, c.Validate())
			tt.change(&c)
			assert.ErrorContains(t, c.Validate(), tt.want)
			assert.ErrorContains(t, c.Validate(), "scenario ")
		})
	}
}
