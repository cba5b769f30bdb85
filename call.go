package tencenthttp

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// call is one RoundTrip.
type call struct {
	t        *Transport
	req      *http.Request
	ctx      context.Context
	start    time.Time
	now      time.Time // the latest time that was asked for: asking is a tenth of a call's cost
	latest   time.Time // when the call must be over: the caller's deadline, or WithMaxElapsedTime; zero if never
	target   *target
	endpoint *endpoint
	replay   replay
	backOff  backoff.BackOff // nil until a delay is needed

	last      *attempt // the latest, nil before the first; its answer is kept until the next attempt starts
	attempts  int
	code      string // the last envelope's
	requestID string

	ticket   ticket        // for the attempt under way
	turn     turnState     // what it has of the pacer's
	held     time.Duration // how long the call has waited for the breaker
	summoned bool          // the breaker's line has called it
	stood    time.Time     // since when it has waited, if the breaker opened while it stood in its target's line
	agreed   int           // how many of the target's limiters have agreed to the next attempt
	twice    tristate      // whether the call may run twice
	altered  bool          // the request is no longer the caller's, so neither is its signature
	over     bool          // it has returned, and does not panic

	reclocked, rekeyed bool        // the cures that were tried
	others             []*endpoint // held, besides the target's

	waits      Waits           // so far
	sent       Waits           // those that were over when the last attempt was sent
	before     Waits           // the waits before that
	sending    context.Context // the attempt's
	report     *Report         // nil if nobody has asked for one
	refused    bool            // the next attempt was forbidden
	retryAfter time.Duration   // for so long
}

// turnState is what a call has of its pacer's, and must bring back.
type turnState uint8

const (
	noTurn   turnState = iota
	turnHeld           // a token, for the next attempt
	turnUsed           // an attempt is under way
)

// tristate is a bool that may not be known yet.
type tristate uint8

const (
	unknown tristate = iota
	yes
	no
)

// calls has calls that are over. Nothing but RoundTrip holds a call: what outlives it, such as an answer's body, belongs to an attempt.
var calls = sync.Pool{New: func() any { return new(call) }}

// begin finds out who is called.
func (t *Transport) begin(req *http.Request) *call {
	c := calls.Get().(*call)
	*c = call{t: t, req: req, ctx: req.Context(), start: time.Now(), replay: newReplay(req, t.cfg.maxReplay)}
	c.latest, _ = c.ctx.Deadline()
	if t.cfg.maxElapsed > 0 {
		c.latest = earlier(c.latest, c.start.Add(t.cfg.maxElapsed))
	}
	defer func() {
		if c.target == nil { // GetBody, or the function of WithLimiter, panics
			c.replay.finish()
		}
	}()
	id := identify(req)
	c.target = t.targets.get(id, c.start, func() (identity, *target) { return id.clone(), t.newTarget(id.clone(), c.start) })
	c.endpoint = c.target.endpoint
	c.now = c.start
	c.target.stats.calls.Add(1)
	return c
}

// withdraw gives back what was admitted, for an attempt that cannot be made after all.
func (c *call) withdraw(body io.ReadCloser, r *refusal) *refusal {
	if body != nil {
		body.Close()
	}
	c.ticket.report(errNeutral)
	c.giveTurnBack()
	if c.canceled() {
		return &refusal{reason: ReasonCanceled, err: r.err}
	}
	return r
}

// send makes the next attempt, or returns why it could not be made.
func (c *call) send() *refusal {
	body, err := c.replay.body()
	if err != nil {
		return c.withdraw(nil, &refusal{reason: ReasonBodyNotReplayable, err: err})
	}
	out, err := c.outgoing()
	if err != nil {
		return c.withdraw(body, &refusal{reason: ReasonSigningFailed, err: err})
	}
	if c.last != nil {
		c.last.discard(c.ctx)
		c.now = time.Now()
	}
	c.last = c.newAttempt(out, body)
	c.turn = turnUsed
	if c.attempts++; c.attempts == 1 {
		c.endpoint.budget.call(c.start)
	}
	c.agreed = 0
	c.now = c.last.send(c.t.base, c.t.cfg.maxInspect, c.now)
	return nil
}

// judge classifies the attempt, and lets breaker and pacer learn from it.
func (c *call) judge() {
	a := c.last
	if len(c.t.cfg.hooks) > 0 || c.report != nil || c.t.cfg.classifier != nil {
		a.readPlain()
	}
	a.verdict = c.verdict(a)
	c.ticket.report(outcomeOf(a.verdict, a.resp != nil))
	c.turn = noTurn
	c.target.pacer.learn(a.verdict, a.resp != nil, c.now.Add(-a.latency), c.now)
	c.target.stats.count(a.verdict, c.attempts)
	if a.envelope != nil {
		c.code, c.requestID = "", a.envelope.RequestID
		if a.envelope.Error != nil {
			c.code = a.envelope.Error.Code
		}
	}
	c.tell()
	c.announceBreaker()
	c.announceRate()
}

// tell shows the attempt to the hooks, to the limiters that learn, and to the report.
func (c *call) tell() {
	if len(c.t.cfg.hooks) == 0 && len(c.target.observers) == 0 && c.report == nil {
		return
	}
	info := c.attemptInfo()
	for _, observer := range c.target.observers {
		observer.Observe(c.ctx, info)
	}
	if len(c.t.cfg.hooks) > 0 {
		c.t.cfg.hooks.attempt(c.sending, info)
	}
	if c.report != nil {
		c.report.attempt(&info, c.now)
	}
	c.now = time.Now()
}

func (c *call) verdict(a *attempt) Verdict {
	if c.t.cfg.classifier == nil && a.plain && a.resp.StatusCode < 300 {
		return Verdict{}
	}
	outcome := Outcome{Request: c.req, Response: a.resp, Envelope: a.envelope, Err: a.err, Attempt: c.attempts}
	if c.t.cfg.classifier != nil {
		return c.t.cfg.classifier(outcome)
	}
	return classify(outcome, c.t.cfg.codes)
}

func (c *call) announceBreaker() {
	for _, change := range c.endpoint.pendingChanges() {
		c.t.cfg.hooks.breakerChange(c.ctx, change)
	}
	if c.endpoint != c.target.endpoint {
		for _, change := range c.target.endpoint.pendingChanges() {
			c.t.cfg.hooks.breakerChange(c.ctx, change)
		}
	}
}

func (c *call) announceRate() {
	for _, change := range c.target.pacer.takeChanges() {
		change.Target = c.target.Target
		c.t.cfg.hooks.rateChange(c.ctx, change)
	}
}

// mayRunTwice tells whether running the call twice is harmless.
func (c *call) mayRunTwice() bool {
	if c.twice == unknown {
		c.twice = no
		if c.t.cfg.idempotency.mayRunTwice(c.req, c.target.Target, c.replay.copy) {
			c.twice = yes
		}
	}
	return c.twice == yes
}

// canceled tells whether the caller has given up.
func (c *call) canceled() bool { return canceled(c.req) }

// canceled looks at both: the SDK's ReqTimeout, for one, closes Cancel and ends the context.
func canceled(req *http.Request) bool {
	if req.Context().Err() != nil {
		return true
	}
	select {
	case <-req.Cancel:
		return true
	default:
		return false
	}
}
