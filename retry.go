package tencenthttp

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// maxRetryAfter is the longest Retry-After that is honoured: more than that is either a mistake or an outage, for which the
// breaker is there.
const maxRetryAfter = 20 * time.Second

// again decides whether the call is sent once more, and after how long; or it returns the reason why not.
func (c *call) again() (time.Duration, Reason) {
	if c.heals() {
		return c.retryIn(0), ""
	}
	if reason := c.hopeless(); reason != "" {
		return 0, reason
	}
	now := c.now
	delay := c.delay()
	next := now.Add(max(0, delay))
	fault := c.last.verdict.Fault
	budget := c.endpoint.budget
	switch {
	case c.tooLate(next) != "":
		return 0, c.tooLate(next)
	case fault && !budget.allows(now):
		return 0, ReasonBudgetEmpty
	case c.replay.possible() != nil:
		return 0, ReasonBodyNotReplayable
	case c.tooOld(next):
		return 0, ReasonSignatureTooOld
	case delay == backoff.Stop:
		return 0, ReasonBackOffStopped
	case c.barred(delay):
		return 0, ReasonBreakerOpen
	case fault && !budget.spend(now): // another call was faster
		return 0, ReasonBudgetEmpty
	}
	return c.retryIn(delay), ""
}

// barred tells whether the breaker will still be open when the next attempt is due, often because of this very attempt: there is
// nothing to wait for then, and no other host to go to.
func (c *call) barred(delay time.Duration) bool {
	e := c.target.endpoint
	if e.holds() || c.t.cfg.failover != nil {
		return false
	}
	_, left := e.look()
	return left > delay
}

// retryIn tells the hooks that there is another attempt.
func (c *call) retryIn(delay time.Duration) time.Duration {
	if len(c.t.cfg.hooks) > 0 {
		c.t.cfg.hooks.retry(c.ctx, RetryInfo{AttemptInfo: c.attemptInfo(), Delay: delay})
	}
	return delay
}

// hopeless returns the reason, if there is one, that lies in the outcome itself or in the number of attempts.
func (c *call) hopeless() Reason {
	verdict := c.last.verdict
	switch verdict.Class {
	case ClassSuccess:
		return ReasonSuccess
	case ClassRetryable:
		// The caller's own no covers a fault that was answered: the call may have run in part.
		if idempotent, said := idempotentFromContext(c.ctx); said && !idempotent && verdict.Fault && c.last.resp != nil {
			return ReasonNotIdempotent
		}
	case ClassIdempotent:
		if !c.mayRunTwice() {
			return ReasonNotIdempotent
		}
	default:
		if c.last.err != nil && c.canceled() {
			return ReasonCanceled
		}
		return ReasonFatal
	}
	if c.attempts >= c.t.cfg.maxAttempts {
		return ReasonAttemptsUsedUp
	}
	return ""
}

// delay returns how long to wait before the next attempt, or backoff.Stop.
func (c *call) delay() time.Duration {
	verdict := c.last.verdict
	asked := min(verdict.RetryAfter, maxRetryAfter)
	if verdict.Throttled && !c.t.cfg.noPacing { // the pacer learns, or a limiter does
		return max(0, asked, throttledDelay(c.attempts)) // its next turn is the wait
	}
	if c.backOff == nil {
		c.backOff = c.t.cfg.newBackOff()
		c.backOff.Reset()
	}
	if delay := c.backOff.NextBackOff(); delay != backoff.Stop {
		return max(0, delay, asked)
	}
	return backoff.Stop
}

// throttledDelay returns how long a call that was throttled stays out of the line. The first time it takes its place again at once;
// if that was in vain it gives the rate some time to come down, or else its attempts are used up before.
func throttledDelay(attempts int) time.Duration {
	switch attempts {
	case 1:
		return 0
	case 2:
		return 500 * time.Millisecond
	}
	return 2 * time.Second
}

// tooLate tells which bound an attempt would pass that starts at next and takes as long as the last one.
func (c *call) tooLate(next time.Time) Reason {
	end := next.Add(c.last.latency)
	if limit := c.t.cfg.maxElapsed; limit > 0 && end.Sub(c.start) > limit {
		return ReasonElapsed
	}
	if deadline, ok := c.ctx.Deadline(); ok && end.After(deadline) {
		return ReasonDeadlineTooNear
	}
	return ""
}

// sleep waits, and returns a refusal if the caller has given up meanwhile.
func (c *call) sleep(delay time.Duration) *refusal {
	if delay > 0 {
		c.does(WaitingBackoff)
		begin := c.now
		defer func() {
			c.now = time.Now()
			c.waited(Waits{Backoff: c.now.Sub(begin)})
		}()
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.ctx.Done():
		case <-c.req.Cancel:
		}
	}
	if c.canceled() {
		return &refusal{reason: ReasonCanceled}
	}
	return nil
}

const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 20 * time.Second
)

// newDefaultBackOff returns full jitter: a delay in [0, d], where d doubles from firstDelay to maxDelay. backoff's jitter with
// factor 1 is in [0, 2 x interval], so the intervals are half of that. It has no end of its own: WithMaxElapsedTime is the end.
func newDefaultBackOff() backoff.BackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(firstDelay/2),
		backoff.WithMaxInterval(maxDelay/2),
		backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(1),
		backoff.WithMaxElapsedTime(0),
	)
}
