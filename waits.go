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

// waitFor notes that the call begins to do something else, for those who read its report meanwhile. It returns when that was.
func (c *call) waitFor(what Activity) time.Time {
	if c.report != nil {
		c.report.begin(what, c.now)
	}
	return c.now
}

// waited adds a wait that has ended.
func (c *call) waited(what Activity, begin time.Time) {
	c.now = time.Now()
	wait := c.now.Sub(begin)
	if wait < minWait {
		return
	}
	switch what {
	case WaitingBackoff:
		c.waits.Backoff += wait
	case WaitingPacing:
		c.waits.Pacing += wait
	case WaitingBreaker:
		c.waits.Breaker += wait
	}
	if c.report != nil {
		c.report.waited(c.waits)
	}
}
