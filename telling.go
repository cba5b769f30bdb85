package tencenthttp

import (
	"context"
	"time"
)

// open tells those who want to know that there is a call.
func (c *call) open() {
	if len(c.t.cfg.hooks) > 0 {
		c.ctx = c.t.cfg.hooks.start(c.ctx, StartInfo{Target: c.target.Target, Method: c.req.Method})
		c.now = time.Now()
	}
	c.report = follow(c.ctx, c.target.Target, c.start)
}

// attemptContext returns the context of the next attempt.
func (c *call) attemptContext() context.Context {
	c.before, c.sent = c.waits.Minus(c.sent), c.waits
	c.does(Attempting)
	c.sending = c.ctx
	if len(c.t.cfg.hooks) > 0 {
		c.sending = c.t.cfg.hooks.send(c.ctx, SendInfo{
			Target: c.target.Target, Host: c.endpoint.key.host, Method: c.req.Method, Attempt: c.attempts + 1, Waits: c.before,
		})
		c.now = time.Now()
	}
	return c.sending
}

// attemptInfo describes the last attempt to the hooks.
func (c *call) attemptInfo() AttemptInfo {
	a := c.last
	info := AttemptInfo{
		Target: c.target.Target, Host: c.endpoint.key.host, Attempt: c.attempts, Verdict: a.verdict,
		Err: a.err, Latency: a.latency, Waits: c.before,
	}
	if a.resp != nil {
		info.StatusCode = a.resp.StatusCode
	}
	if a.envelope != nil {
		info.RequestID = a.envelope.RequestID
		if a.envelope.Error != nil {
			info.Code = a.envelope.Error.Code
		}
	}
	return info
}

// tellEnd tells the report and the hooks how the call ended, err being what the caller gets.
func (c *call) tellEnd(reason Reason, err error) {
	info := DoneInfo{
		Target: c.target.Target, Attempts: c.attempts, Reason: reason,
		Code: c.code, RequestID: c.requestID, Refused: c.refused, RetryAfter: c.retryAfter, Waits: c.waits,
		Err: err, Elapsed: c.now.Sub(c.start),
	}
	if err == nil {
		info.StatusCode = c.last.resp.StatusCode
	}
	if c.report != nil {
		c.report.end(&info)
		c.report = nil
	}
	c.t.cfg.hooks.done(c.ctx, info)
}

func (l hookList) install(t *Transport) {
	for _, h := range l {
		if h.Install != nil {
			h.Install(t)
		}
	}
}

func (l hookList) start(ctx context.Context, info StartInfo) context.Context {
	for _, h := range l {
		if h.Start != nil {
			ctx = h.Start(ctx, info)
		}
	}
	return ctx
}

func (l hookList) send(ctx context.Context, info SendInfo) context.Context {
	for _, h := range l {
		if h.Send != nil {
			ctx = h.Send(ctx, info)
		}
	}
	return ctx
}
