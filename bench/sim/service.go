package sim

import (
	"github.com/tencenthttp/tencenthttp/tctest"
)

// service returns the fake service of the scenario, which begins now.
func (s *Scenario) service(seed uint64) *tctest.API {
	l := s.Latency
	api := tctest.New(
		tctest.WithSeed(seed), tctest.WithRecord(0, 0),
		tctest.WithQuota("*", s.Quota.quota()),
		tctest.WithCapacity(s.Capacity.capacity()),
		tctest.WithNetworkDelay(tctest.Between(l.Network[0].D(), l.Network[1].D())),
		tctest.WithLatency(tctest.Fixed(l.Accepted.D())),
		tctest.WithThrottledLatency(tctest.Fixed(l.Throttled.D())),
	)
	for _, c := range s.Changes {
		api.At(c.At.D(), func() { api.SetQuota("*", c.quota()) })
	}
	if b := s.Brownout; b.Until > 0 {
		api.At(b.From.D(), func() { api.SetCapacity(b.capacity()) })
		api.At(b.Until.D(), func() { api.SetCapacity(s.Capacity.capacity()) })
	}
	if o := s.Outage; o.Until > 0 {
		api.AddOutage(tctest.Outage{
			From: o.From.D(), Until: o.Until.D(),
			Refuse: o.Refuse, Unavailable: o.Unavailable, InternalError: o.InternalError, Hang: o.Hang,
		})
	}
	return api
}

func (q Quota) quota() tctest.Quota {
	return tctest.Quota{Rate: q.Rate, Burst: q.Burst, Limit: q.Limit, Window: q.Window.D()}
}

func (c Capacity) capacity() tctest.Capacity {
	return tctest.Capacity{Rate: c.Rate, MaxQueue: c.MaxQueue.D()}
}
