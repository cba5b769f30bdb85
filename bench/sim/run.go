package sim

import (
	"context"
	"fmt"
	"time"
)

// Bubble runs f in virtual time and returns when it and all goroutines that it started have ended. In a test it is
//
//	func(f func()) { synctest.Test(t, func(*testing.T) { f() }) }
type Bubble func(f func())

// patience is how many times the limit's makespan a batch may take before a run is broken off.
const patience = 20

// Run plays a scenario with a policy. The same seed gives the same run, as far as the policy draws nothing from elsewhere.
func Run(bubble Bubble, s Scenario, p Policy, seed uint64) (result *Result, err error) {
	limit := s.limitWithin(p.MaxWait)
	bubble(func() {
		var j *journal
		if j, err = s.play(p, seed, limit); err == nil {
			result = newResult(&s, p.Name, seed, limit, j)
		}
	})
	return result, err
}

// play runs the scenario in the bubble.
func (s *Scenario) play(p Policy, seed uint64, limit Limit) (*journal, error) {
	j := &journal{start: time.Now()}
	api := s.service(seed)
	api.OnCall(j.arrived)
	clients := make([]Client, s.Processes)
	for i := range clients {
		var err error
		if clients[i], err = p.New(Site{Base: api.RoundTripper(), Seed: seed<<16 + uint64(i), Quota: s.Quota}); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.Open() {
		s.arrive(ctx, j, clients, seed)
		return j, nil
	}
	stop := time.AfterFunc(patience*(limit.Makespan+s.Deadline.D()), cancel)
	defer stop.Stop()
	s.work(ctx, j, clients, seed)
	return j, nil
}
