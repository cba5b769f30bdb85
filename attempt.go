package tencenthttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// attempt is one request on the wire and what came of it. Its request is a fresh struct with a fresh body: net/http may still
// read both after RoundTrip has returned.
type attempt struct {
	caller *http.Request
	req    http.Request
	body   closeOnce   // stands in req, unless the body is known to be in memory
	resent atomic.Bool // net/http has asked for the body again, to resend it on its own
	trace  *connTrace  // nil where nobody asks how far the request got

	cancel  context.CancelCauseFunc // these three with a timeout
	timer   *time.Timer
	timeout *attemptTimeoutError

	answer   answerBody // stands in resp, if it was looked at
	resp     *http.Response
	err      error
	envelope *Envelope
	plain    bool // the answer is an envelope without an error, found without parsing it
	latency  time.Duration
	verdict  Verdict
}

// newAttempt makes an attempt's request of out, which is the call's request or a copy of it.
func (c *call) newAttempt(out *http.Request, body io.ReadCloser) *attempt {
	a := &attempt{caller: c.req}
	a.req.Body = body // to be closed if a hook panics
	c.last = a
	ctx := c.attemptContext()
	if timeout := c.t.cfg.attemptTimeout; timeout > 0 && !isUpgrade(c.req) {
		ctx, a.cancel = context.WithCancelCause(ctx)
		a.timeout = &attemptTimeoutError{timeout}
		a.timer = time.AfterFunc(timeout, func() { a.cancel(a.timeout) })
	}
	if a.timer != nil || !hasBody(c.req) && !c.mayRunTwice() {
		a.trace = &connTrace{}
		ctx = a.trace.context(ctx)
	}
	if a.req = *out; ctx != out.Context() {
		a.req = *out.WithContext(ctx)
	}
	if !hasBody(c.req) {
		return a
	}
	a.req.Body, a.req.GetBody = body, nil
	if c.replay.recording == nil {
		a.req.GetBody = a.getBody
		if !inMemory(body) {
			a.body.ReadCloser = body
			a.req.Body = &a.body
		}
	}
	return a
}

// getBody is the GetBody of the attempt's request.
func (a *attempt) getBody() (io.ReadCloser, error) {
	a.resent.Store(true)
	return a.caller.GetBody()
}

// send makes the attempt, which begins now, and looks at the answer. It returns the time when that is done.
func (a *attempt) send(base http.RoundTripper, maxInspect int64, now time.Time) time.Time {
	a.resp, a.err = base.RoundTrip(&a.req)
	a.checkContract()
	unsent := a.err != nil && a.provablyUnsent()
	if a.err == nil && !isUpgrade(&a.req) && inspectable(a.resp, maxInspect) {
		a.look(maxInspect)
	}
	a.endTimeout()
	if a.err != nil {
		a.drop()
		a.plain, a.envelope = false, nil // an answer that came whole, but too late, is none
		if unsent {
			a.err = &unsentError{a.err}
		}
	}
	end := time.Now()
	a.latency = end.Sub(now)
	return end
}

// checkContract mends what a base RoundTripper must not do: answer with both a response and an error, with neither, or without a body.
func (a *attempt) checkContract() {
	switch {
	case a.err != nil:
	case a.resp == nil:
		a.err = errNoResponse
	case a.resp.Body == nil:
		a.resp.Body = http.NoBody
	}
}

var errNoResponse = errors.New("the base RoundTripper returned neither a response nor an error")

// look reads what there is of an envelope. The answer's body is then one that gives the same bytes again.
func (a *attempt) look(maxInspect int64) {
	a.answer.base = a.resp.Body
	a.resp.Body = &a.answer
	seen, err := a.answer.look(a.resp, maxInspect)
	if err != nil {
		a.err = &cutOffError{err}
		return
	}
	if a.plain = plainSuccess(seen); !a.plain && len(seen) > 0 {
		a.envelope = parseEnvelope(seen)
	}
}

// readPlain makes the envelope of a success that was found without parsing it, for those who want its RequestId.
func (a *attempt) readPlain() {
	if !a.plain || a.envelope != nil || a.answer.kept == nil {
		return
	}
	data := (*a.answer.kept)[:a.answer.length]
	if id := plainRequestID(data); id != "" {
		a.envelope = &Envelope{RequestID: id}
		return
	}
	a.envelope = parseEnvelope(data)
}

// endTimeout ends the time that the attempt is given: what follows of the body is the caller's, as fast as he likes. The context
// lives until the body ends.
func (a *attempt) endTimeout() {
	if a.timer == nil {
		return
	}
	a.timer.Stop()
	if context.Cause(a.req.Context()) == a.timeout { // and not that of a Transport above
		a.err = a.timeout
	}
	switch {
	case a.err != nil || a.resp.Body == http.NoBody:
		a.cancel(nil)
	case a.resp.StatusCode == http.StatusSwitchingProtocols: // the connection is the caller's, for as long as he likes
	case a.answer.base == nil:
		a.answer.base = a.resp.Body
		a.resp.Body = &a.answer
		fallthrough
	default:
		a.answer.end = func() { a.cancel(nil) }
	}
}

// drop closes what an attempt leaves behind that nobody gets the answer of, one that panicked included. The base should have
// closed the request's body itself: closing it again does nothing.
func (a *attempt) drop() {
	if a.timer != nil {
		a.timer.Stop()
		a.cancel(nil)
	}
	if a.resp != nil && a.resp.Body != nil {
		a.resp.Body.Close()
	}
	a.resp = nil
	if a.req.Body != nil {
		a.req.Body.Close()
	}
}

// provablyUnsent tells whether the service cannot have had the whole request: its body was never read, or net/http, which says
// what it does, never got as far as to write the headers of a request without one.
func (a *attempt) provablyUnsent() bool {
	if a.resent.Load() {
		return false
	}
	if canceled(&a.req) { // HTTP/2 returns at once then, and may still be writing
		return a.trace.unconnected()
	}
	switch body := a.req.Body.(type) {
	case nil:
		return a.trace.unsent()
	case *closeOnce:
		return !body.touched.Load()
	case *recordedBody:
		return !body.touched.Load()
	default:
		if body == http.NoBody {
			return a.trace.unsent()
		}
		// RoundTrip has returned an error without having been canceled, so net/http reads it no more.
		inner := unwrapInMemory(body)
		return inner != nil && inner.Len() > 0 && int64(inner.Len()) == a.req.ContentLength
	}
}

// connTrace follows how far a request got.
type connTrace struct{ asked, got, wrote atomic.Bool }

func (t *connTrace) context(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:      func(string) { t.asked.Store(true) },
		GotConn:      func(httptrace.GotConnInfo) { t.got.Store(true) },
		WroteHeaders: func() { t.wrote.Store(true) },
	})
}

// unsent is true only if the base is one that reports to a trace.
func (t *connTrace) unsent() bool { return t != nil && t.asked.Load() && !t.wrote.Load() }

// unconnected is true if there never was a connection to send anything on.
func (t *connTrace) unconnected() bool { return t != nil && t.asked.Load() && !t.got.Load() }

// isUpgrade tells whether a request asks for another protocol on its connection, which then has no end that could be waited for.
func isUpgrade(req *http.Request) bool {
	return len(req.Header["Upgrade"]) > 0 && strings.Contains(strings.ToLower(req.Header.Get("Connection")), "upgrade")
}

const (
	// maxDrain is how many bytes of a dropped answer are read so that its connection can be used again: net/http's own measure.
	maxDrain = 256 << 10
	// maxDrainTime is how long that may take. A new connection costs about as much.
	maxDrainTime = 50 * time.Millisecond
)

// discard reads a dropped answer to its end, within bounds, and closes it.
func (a *attempt) discard(ctx context.Context) {
	if a.resp == nil {
		return
	}
	body := a.resp.Body
	a.resp = nil
	var once sync.Once
	closeBody := func() { once.Do(func() { body.Close() }) }
	defer closeBody()
	if a.answer.base != nil && a.answer.err != nil {
		a.answer.recycle() // all of it was looked at, and nobody else has it
		return
	}
	timer := time.AfterFunc(maxDrainTime, closeBody)
	defer timer.Stop()
	stop := context.AfterFunc(ctx, closeBody)
	defer stop()
	_, _ = io.CopyN(io.Discard, body, maxDrain) // whatever ends it, the body is closed
}
