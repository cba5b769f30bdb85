package tencenthttp

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// maxUnsentAge is how old a signature may have become, while its request stood in line, before even the first attempt is signed
// afresh: far enough from the 300 s that the service allows for the attempt to take its time.
const maxUnsentAge = 60 * time.Second

var errBodyToSign = errors.New("the request's body must be read before it can be signed, and is longer than WithMaxReplay")

// signable tells whether a request is one that a signature v3 belongs on: a call of API 3.0 that names its action in a header.
// What carries another kind of signature is left alone.
func signable(req *http.Request) bool {
	authorization := headerValue(req.Header, "Authorization")
	if _, ok := parseAuthorization(authorization); ok {
		return true
	}
	return authorization == "" && headerValue(req.Header, "X-Tc-Action") != ""
}

// resigns tells whether the call's signature can be renewed.
func (c *call) resigns() bool { return c.t.cfg.signer != nil && signable(c.req) }

// tooOld tells whether the call's signature would be too old at that time, and must stay as it is.
func (c *call) tooOld(at time.Time) bool { return signatureTooOld(c.req, at) && !c.resigns() }

// outgoing returns the request of the next attempt: the caller's, or one for another host, or one with a fresh signature.
func (c *call) outgoing() (*http.Request, error) {
	host := c.endpoint.key.host
	elsewhere := c.endpoint != c.target.endpoint
	if !c.signsNext(elsewhere) {
		return c.req, nil
	}
	ctx, stop := c.ctx, context.CancelFunc(func() {})
	if s, ok := c.t.cfg.signer.(interface{ blocks() bool }); !ok || s.blocks() {
		ctx, stop = c.waitContext()
	}
	defer stop()
	out := c.req.WithContext(ctx)
	if elsewhere {
		address := *out.URL
		address.Host = host
		out.URL, out.Host = &address, host
	}
	return out, c.sign(out, c.now.Add(c.t.clocks.of(host)))
}

// signsNext tells whether the next attempt is signed afresh: it is a retry, unsigned, has waited, was changed, or was signed by a
// clock that the service does not agree with.
func (c *call) signsNext(elsewhere bool) bool {
	if !c.resigns() {
		return false
	}
	if c.attempts > 0 || c.altered || elsewhere {
		return true
	}
	signed, ok := signedAt(c.req)
	return !ok || c.now.Sub(signed) > maxUnsentAge || c.t.clocks.of(c.endpoint.key.host) != 0
}

// signedAt returns the time of a request's signature; false if it has none.
func signedAt(req *http.Request) (time.Time, bool) {
	if headerValue(req.Header, "Authorization") == "" {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(headerValue(req.Header, "X-Tc-Timestamp"), 10, 64)
	return time.Unix(seconds, 0), err == nil
}

// sign gives out, a copy of the call's request, a header of its own and signs it.
func (c *call) sign(out *http.Request, at time.Time) error {
	if out.Header = out.Header.Clone(); out.Header == nil {
		out.Header = http.Header{}
	}
	if out.GetBody = c.req.GetBody; c.replay.recording != nil {
		if headerValue(out.Header, "X-Tc-Content-Sha256") != unsignedPayload && !c.replay.recording.readAhead() {
			return errBodyToSign
		}
		out.GetBody = c.replay.copy
	}
	return c.t.cfg.signer.Sign(out, at)
}

// heals tells whether a fresh signature may cure what the last attempt failed of. Each cure is tried once in a call: a clock that is
// off is set by the Date of the answer, and a key that was rotated is asked for again.
func (c *call) heals() bool {
	a := c.last
	if a.verdict.Class != ClassFatal || a.envelope == nil || a.envelope.Error == nil || !c.resigns() {
		return false
	}
	if c.attempts >= c.t.cfg.maxAttempts || c.replay.possible() != nil || c.canceled() || c.tooLate(c.now) != "" {
		return false
	}
	switch a.envelope.Error.Code {
	case "AuthFailure.SignatureExpire":
		return !c.reclocked && c.setClock()
	case "AuthFailure.InvalidSecretId", "AuthFailure.SecretIdNotFound", "AuthFailure.SignatureFailure", "AuthFailure.TokenFailure":
		return !c.rekeyed && c.keysChanged()
	}
	return false
}

// setClock learns how far the service's clock is ahead of ours.
func (c *call) setClock() bool {
	signed, ok := signedAt(&c.last.req)
	if !ok {
		return false
	}
	offset, ok := skewOf(c.last.resp.Header, signed, c.now)
	if !ok {
		return false
	}
	c.reclocked = true
	host := c.endpoint.key.host
	c.t.clocks.set(host, offset)
	c.t.cfg.hooks.clockSkew(c.ctx, ClockSkewInfo{Target: c.target.Target, Host: host, Offset: offset})
	return true
}

// keysChanged tells whether the signer has other keys by now than the last attempt was signed with: the same request, signed as of the
// same second, has another signature or token then.
func (c *call) keysChanged() bool {
	c.rekeyed = true
	signed, ok := signedAt(&c.last.req)
	if !ok {
		return false
	}
	ctx, stop := c.waitContext()
	defer stop()
	again := c.last.req.WithContext(ctx)
	if c.sign(again, signed) != nil {
		return false
	}
	return headerValue(again.Header, "Authorization") != headerValue(c.last.req.Header, "Authorization") ||
		headerValue(again.Header, "X-Tc-Token") != headerValue(c.last.req.Header, "X-Tc-Token")
}
