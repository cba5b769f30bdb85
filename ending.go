package tencenthttp

import (
	"errors"
	"fmt"
	"net/http"
)

// finish ends a call with the outcome of its last attempt.
func (c *call) finish(reason Reason) (*http.Response, error) {
	if reason == ReasonBreakerOpen {
		_, left := c.target.endpoint.look()
		return c.refuse(c.target.endpoint.refusal(left))
	}
	if c.last.err == nil {
		return c.last.resp, c.end(reason, nil)
	}
	err := &CallError{Reason: reason, Err: c.last.err}
	if inner, ok := errors.AsType[*CallError](c.last.err); ok { // another Transport below has refused
		err.RetryAfter = inner.RetryAfter
	}
	return nil, c.end(reason, err)
}

// refuse ends a call whose next attempt may not be made. The last answer is handed back if there is one: it says more than the
// refusal. Only a caller who gave up gets an error nevertheless.
func (c *call) refuse(r *refusal) (*http.Response, error) {
	if r.reason == ReasonCanceled {
		r.err = cancelError(c.ctx)
	} else {
		c.refused, c.retryAfter = true, r.retryAfter
		c.target.stats.refused.Add(1)
		c.t.cfg.hooks.refusal(c.ctx, RefusalInfo{
			Target: c.target.Target, Attempt: c.attempts + 1, Reason: r.reason, RetryAfter: r.retryAfter,
			Code: c.code, RequestID: c.requestID,
		})
	}
	err := &CallError{Reason: r.reason, RetryAfter: r.retryAfter, Err: r.err}
	switch {
	case c.last == nil:
	case c.last.err != nil:
		err.Err = fmt.Errorf("%w; last attempt: %w", r.err, c.last.err)
	case r.reason != ReasonCanceled:
		return c.last.resp, c.end(r.reason, nil)
	default:
		c.last.drop()
	}
	return nil, c.end(r.reason, err)
}

// end tells the hooks how the call ended. It returns err, complete, as an error that is nil if err is.
func (c *call) end(reason Reason, failure *CallError) error {
	var err error
	if failure != nil {
		failure.Target, failure.Attempts = c.target.Target, c.attempts
		failure.Code, failure.RequestID = c.code, c.requestID
		err = failure
	}
	c.announceBreaker()
	c.announceRate()
	if len(c.t.cfg.hooks) > 0 || c.report != nil {
		c.tellEnd(reason, err)
	}
	c.over = true
	return err
}

// release ends a call's hold on what it used, also if it panics: the breaker is told, others may have its turn, and nothing stays open.
func (c *call) release() {
	c.ticket.report(errNeutral)
	c.giveTurnBack()
	if c.turn == turnUsed { // it panics
		c.target.pacer.land()
	}
	c.giveUp(nil)
	if !c.over && c.last != nil {
		c.last.drop()
	}
	if c.report != nil {
		c.report.leave()
	}
	c.replay.finish()
	c.t.targets.release(c.target, c.now)
	for _, e := range c.others {
		c.t.endpoints.release(e, c.now)
	}
	*c = call{} // keeps nothing alive
	calls.Put(c)
}
