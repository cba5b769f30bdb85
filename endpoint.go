package tencenthttp

import (
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// endpointKey is what fails together: a service's host, in one region.
type endpointKey struct{ host, region string }

// endpoint is what is known of one endpoint's health: its retry budget, its breaker, and the calls that wait for that to close.
type endpoint struct {
	usage
	key     endpointKey
	budget  *budget
	breaker *breaker // nil without a breaker
	hold    hold
}

func newEndpoint(key endpointKey, c *config, now time.Time) *endpoint {
	e := &endpoint{key: key, budget: newBudget(c.budget, now)}
	if !c.noBreaker {
		e.breaker = newBreaker(c.breaker, e.budget.callRate)
		e.hold.endpoint = e
	}
	return e
}

// idle tells whether a new endpoint would behave as this one does, but for what its window has counted. A breaker whose time is
// over, and whom nobody has asked since, refuses nobody: else hosts that were given up would be remembered for ever.
func (e *endpoint) idle(time.Time) bool {
	closed, left := e.look()
	return closed || left == 0
}

// look is what the breaker says before any waiting.
func (e *endpoint) look() (closed bool, left time.Duration) {
	if e.breaker == nil {
		return true, 0
	}
	return e.breaker.look()
}

// news returns a channel that is closed when the breaker opens, nil without one, and when it last closed.
func (e *endpoint) news() (opened <-chan struct{}, closed time.Time) {
	if e.breaker == nil {
		return nil, time.Time{}
	}
	return e.breaker.news()
}

// ticket is the breaker's leave to make one attempt. Its outcome must be reported, once.
type ticket struct {
	endpoint *endpoint
	done     func(error)
	probe    bool
	patience *time.Timer // of a probe
}

// allow asks the breaker for leave.
func (e *endpoint) allow() (ticket, bool) {
	if e.breaker == nil {
		return ticket{}, true
	}
	if _, left := e.look(); left > 0 { // gobreaker's own time may be over
		return ticket{}, false
	}
	done, err := e.breaker.gate.Allow()
	if err != nil {
		return ticket{}, false
	}
	probe := gobreaker.State(e.breaker.state.Load()) != gobreaker.StateClosed
	return ticket{endpoint: e, done: done, probe: probe}, true
}

// report tells the breaker what came of the attempt: nil, errFault or errNeutral. Further reports are ignored: a second one would count.
func (t *ticket) report(outcome error) {
	if t.done == nil {
		return
	}
	done := t.done
	t.done = nil
	if t.patience != nil {
		t.patience.Stop()
	}
	done(outcome)
	if e := t.endpoint; e.mayHold() && (t.probe || e.breaker.changed.Load()) {
		e.hold.notify()
	}
}

// hurry makes a probe that takes longer than that a failed one: an endpoint that hangs must not keep the next probe waiting as well.
// With every probe in a row that fails so there is twice the time, for the endpoint may have become slow for good.
func (t *ticket) hurry(patience time.Duration) {
	if !t.probe {
		return
	}
	b, e, done := t.endpoint.breaker, t.endpoint, t.done
	var once sync.Once
	t.done = func(outcome error) {
		once.Do(func() { done(outcome) })
	}
	t.patience = time.AfterFunc(patience<<min(10, b.hung.Load()), func() {
		once.Do(func() {
			b.hung.Add(1)
			done(errFault)
			if e.mayHold() {
				e.hold.notify()
			}
		})
	})
}

// pendingChanges returns the breaker's changes of state that no hook was told yet.
func (e *endpoint) pendingChanges() []BreakerChangeInfo {
	if e.breaker == nil {
		return nil
	}
	changes := e.breaker.takeChanges()
	for i := range changes {
		changes[i].Host, changes[i].Region = e.key.host, e.key.region
	}
	return changes
}

// refusal is what a call gets that the breaker does not let through. Where a probe is under way, nobody knows how long that
// takes; then it is the time until the next try if the probe fails.
func (e *endpoint) refusal(left time.Duration) *refusal {
	if left == 0 {
		left = e.breaker.settings.OpenFor
	}
	return breakerRefusal(left)
}

// mayHold tells whether anyone may stand in line for the breaker.
func (e *endpoint) mayHold() bool { return e.holds() || e.breaker != nil && e.breaker.awaited.Load() }

// holds tells whether calls may wait for an open breaker.
func (e *endpoint) holds() bool { return e.breaker != nil && e.breaker.settings.HoldFor > 0 }
