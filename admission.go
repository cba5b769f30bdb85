package tencenthttp

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errSignatureTooOld = errors.New("the request's signature has become too old while it waited")

// admit waits until the next attempt may be made, and returns nil with a ticket from the breaker and a token from the pacer in
// hand; or it returns why the attempt may not be made, with neither.
func (c *call) admit() *refusal {
	for {
		c.does(WaitingPacing)
		if c.canceled() {
			return c.giveUp(&refusal{reason: ReasonCanceled})
		}
		admitted, r := c.tryAdmit()
		if r != nil {
			return c.giveUp(r)
		}
		if admitted {
			c.announceBreaker()
			return nil
		}
	}
}

// tryAdmit looks at the breaker, waits for what has to be waited for, and asks the breaker. False means: look again.
func (c *call) tryAdmit() (admitted bool, r *refusal) {
	e := c.target.endpoint
	c.endpoint = e
	var view outlook
	var others bool // stand in line for the breaker
	if e.mayHold() || !c.stood.IsZero() {
		view.events, others = e.hold.seen()
	}
	view.closed, view.left = e.look()
	switch {
	case view.closed && (!others || c.summoned):
		return c.takeTurn()
	case view.closed:
		return false, c.holdOn(view)
	case view.left == 0:
		if admitted, r = c.probe(); admitted || r != nil {
			return admitted, r
		}
	}
	if admitted, tried, r := c.failOver(); tried {
		return admitted, r
	}
	return false, c.holdOn(view)
}

// probe asks a breaker that may let somebody try. A probe does not stand in line, but it is a request like any other.
func (c *call) probe() (admitted bool, r *refusal) {
	if r := c.askLimiters(); r != nil || !c.askBreaker() {
		return false, r
	}
	if usual := c.target.pacer.pulse.usual.Load(); usual > 0 {
		c.ticket.hurry(max(500*time.Millisecond, 4*time.Duration(usual)))
	}
	c.target.pacer.spend()
	c.turn = turnHeld
	return true, nil
}

// takeTurn stands in the target's line. A breaker that opens meanwhile gets the last word; the turn is given back then.
func (c *call) takeTurn() (admitted bool, r *refusal) {
	arrived := c.now
	if !c.target.pacer.pass() {
		request := c.turnRequest(c.t.cfg.maxWait)
		request.opened, request.closed = c.endpoint.news()
		r := c.target.pacer.wait(request)
		c.now = time.Now()
		if r == breakerOpened {
			c.stood = arrived
			return false, nil
		}
		if r != nil {
			return false, r
		}
	}
	c.turn = turnHeld
	r = c.askLimiters()
	if r == nil && c.askBreaker() {
		return true, nil
	}
	if c.now.Sub(arrived) >= minWait { // it opened in the moment of the turn
		c.stood = arrived
	}
	c.giveTurnBack()
	return false, r
}

func (c *call) turnRequest(maxWait time.Duration) turnRequest {
	return turnRequest{
		ctx: c.ctx, cancel: c.req.Cancel,
		start: c.start, latest: c.latest, maxWait: maxWait,
	}
}

// askBreaker takes a ticket if the breaker gives one.
func (c *call) askBreaker() bool {
	ticket, ok := c.endpoint.allow()
	c.ticket = ticket
	c.summoned = c.summoned && !ok
	return ok
}

// holdOn waits for the breaker if the call may, until it is worth looking at it again.
func (c *call) holdOn(view outlook) *refusal {
	c.does(WaitingBreaker)
	e := c.target.endpoint
	rest := max(e.breaker.settings.HoldFor-c.held, c.patience())
	if rest <= 0 && !view.closed {
		return e.refusal(view.left)
	}
	begin := time.Now()
	request := c.turnRequest(rest)
	if !request.latest.IsZero() {
		request.latest = request.latest.Add(-c.target.pacer.margin())
	}
	summoned, r := e.hold.wait(request, view)
	c.now = time.Now()
	c.held += c.now.Sub(begin)
	c.summoned = summoned
	return r
}

// patience returns how long a call may wait for the breaker that stood in its target's line when that opened: it goes on waiting, as
// long as it would have there. Who comes later is refused.
func (c *call) patience() time.Duration {
	switch {
	case c.stood.IsZero():
		return 0
	case c.t.cfg.maxWait == 0:
		return endless
	}
	return c.t.cfg.maxWait - time.Since(c.stood)
}

// giveUp passes on the chance that the breaker's line has given to this call.
func (c *call) giveUp(r *refusal) *refusal {
	if c.summoned {
		c.summoned = false
		c.target.endpoint.hold.notify()
	}
	return r
}

// giveTurnBack returns the token of an attempt that is not made.
func (c *call) giveTurnBack() {
	if c.turn == turnHeld {
		c.turn = noTurn
		c.target.pacer.giveBack()
	}
}

// askLimiters asks the caller's own limiters. One that has agreed is not asked again until an attempt was made: its Wait cannot be
// undone. An attempt whose signature is too old after all these waits is not made, unless it is the first: that one gets a real answer.
func (c *call) askLimiters() *refusal {
	limiters := c.target.limiters
	if c.agreed < len(limiters) {
		ctx, stop := c.waitContext()
		defer stop()
		for _, limiter := range limiters[c.agreed:] {
			if err := limiter.Wait(ctx); err != nil {
				return c.limiterRefusal(err)
			}
			c.agreed++
		}
		c.now = time.Now()
	}
	if c.attempts > 0 && c.tooOld(c.now) {
		return &refusal{reason: ReasonSignatureTooOld, err: errSignatureTooOld}
	}
	return nil
}

func (c *call) limiterRefusal(err error) *refusal {
	if c.canceled() {
		return &refusal{reason: ReasonCanceled}
	}
	return &refusal{reason: ReasonRateLimited, retryAfter: retryAfterOf(err), err: fmt.Errorf("%w: %w", ErrRateLimited, err)}
}

// waitContext is the caller's context with all that may end a wait, and with what a Limiter may ask of the call.
func (c *call) waitContext() (context.Context, context.CancelFunc) {
	ctx, stop := withCallStart(c.ctx, c.start), context.CancelFunc(func() {})
	if !c.latest.IsZero() {
		ctx, stop = context.WithDeadline(ctx, c.latest)
	}
	canceled := c.req.Cancel
	if canceled == nil {
		return ctx, stop
	}
	ctx, stopBoth := context.WithCancel(ctx)
	go func() {
		select {
		case <-canceled:
			stopBoth()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { stopBoth(); stop() }
}
