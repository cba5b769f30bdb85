package tencenthttp

import (
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

// ticket is the breaker's leave to make one attempt. Its outcome must be reported, once.
type ticket struct {
	endpoint *endpoint
	done     func(error)
	probe    bool
}

// allow asks the breaker for leave.
func (e *endpoint) allow() (ticket, bool) {
	if e.breaker == nil {
		return ticket{}, true
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
	done(outcome)
	if e := t.endpoint; e.holds() && (t.probe || e.breaker.changed.Load()) {
		e.hold.notify()
	}
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

// holds tells whether calls may wait for an open breaker.
func (e *endpoint) holds() bool { return e.breaker != nil && e.breaker.settings.HoldFor > 0 }
