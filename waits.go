package tencenthttp

import (
	"iter"
	"time"
)

// Waits is how long a call has waited, by what it waited for. What takes less than 100 µs is no wait.
type Waits struct {
	Backoff time.Duration // a delay between two attempts: WithBackOff, or the service's Retry-After
	Pacing  time.Duration // its turn: WithRateLimit, the rate that was learned, WithLimiter
	Breaker time.Duration // an open breaker to close: BreakerSettings.HoldFor
}

// Total returns the sum of all waits.
func (w Waits) Total() time.Duration { return w.Backoff + w.Pacing + w.Breaker }

// Minus returns the waits without those that are in earlier.
func (w Waits) Minus(earlier Waits) Waits {
	return Waits{w.Backoff - earlier.Backoff, w.Pacing - earlier.Pacing, w.Breaker - earlier.Breaker}
}

// All yields the waits that there were.
func (w Waits) All() iter.Seq2[Activity, time.Duration] {
	return func(yield func(Activity, time.Duration) bool) {
		_ = (w.Backoff <= 0 || yield(WaitingBackoff, w.Backoff)) &&
			(w.Pacing <= 0 || yield(WaitingPacing, w.Pacing)) &&
			(w.Breaker <= 0 || yield(WaitingBreaker, w.Breaker))
	}
}

// minWait is how long it may take to be told that there is nothing to wait for.
const minWait = 100 * time.Microsecond

// does notes what the call is about to do, for those who read its report meanwhile.
func (c *call) does(what Activity) {
	if c.report != nil {
		c.report.begin(what, c.now)
	}
}

// admitted is admit, with the time that it took counted: what it was not held by the breaker, it stood in line.
func (c *call) admitted() *refusal {
	begin, held := c.now, c.held
	refused := c.admit()
	if refused != nil {
		c.now = time.Now()
	}
	inHold := c.held - held
	if inHold < minWait {
		inHold = 0
	}
	inLine := c.now.Sub(begin) - inHold
	if inLine < minWait {
		inLine = 0
	}
	c.waited(Waits{Pacing: inLine, Breaker: inHold})
	return refused
}

// waited adds waits that have ended.
func (c *call) waited(waits Waits) {
	if waits == (Waits{}) {
		return
	}
	c.waits.Backoff += waits.Backoff
	c.waits.Pacing += waits.Pacing
	c.waits.Breaker += waits.Breaker
	if c.report != nil {
		c.report.waited(c.waits)
	}
}
