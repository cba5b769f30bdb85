package policy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// attemptTimeout is what http.Transport's ResponseHeaderTimeout does, under policies that have no bound for an attempt themselves.
type attemptTimeout struct {
	base  http.RoundTripper
	after time.Duration
}

// RoundTrip implements http.RoundTripper.
func (t attemptTimeout) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.after, errAttemptTimeout)
	resp, err := t.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		if req.Context().Err() == nil && errors.Is(context.Cause(ctx), errAttemptTimeout) {
			err = errAttemptTimeout
		}
		return nil, err
	}
	resp.Body = &endingBody{resp.Body, cancel}
	return resp, nil
}

// endingBody ends the context of its attempt when it is closed.
type endingBody struct {
	io.ReadCloser
	end context.CancelFunc
}

func (b *endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// errAttemptTimeout is of the kind that net/http has for it.
var errAttemptTimeout error = timeoutError{}

type timeoutError struct{}

func (timeoutError) Error() string   { return "timeout awaiting response headers" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
