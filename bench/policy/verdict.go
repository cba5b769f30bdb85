package policy

import (
	"context"
	"errors"
	"net/http"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"resty.dev/v3"

	"github.com/tencenthttp/tencenthttp/bench/peer"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// The two questions that a peer asks about what came of a request. They are the same for all, and what a careful user would write
// after a look into the envelope.

// again tells whether the request may be sent again: a throttle, or a fault.
func again(resp *http.Response, err error) bool {
	if err == nil {
		if code, lookErr := peer.Bounded(resp); lookErr == nil && code == "RequestLimitExceeded" {
			return true
		}
	}
	return fault(resp, err)
}

// fault tells whether the service failed: it could not be reached, did not answer in time, or said so.
func fault(resp *http.Response, err error) bool {
	if err != nil {
		return !refusal(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	code, err := peer.Bounded(resp)
	return err != nil || code == "InternalError" || resp.StatusCode >= 500
}

// refusal tells whether a breaker or limiter kept the request from being sent. To try it again would defeat the purpose.
func refusal(err error) bool { return localCause(err) != "" }

// localCause says what kept a request from being sent, or nothing.
func localCause(err error) string {
	for _, local := range []struct {
		err   error
		words string
	}{
		{gobreaker.ErrOpenState, "breaker open"},
		{gobreaker.ErrTooManyRequests, "breaker open"},
		{circuitbreaker.ErrOpen, "breaker open"},
		{resty.ErrCircuitBreakerOpen, "breaker open"},
		{adaptivelimiter.ErrExceeded, "limiter full"},
	} {
		if errors.Is(err, local.err) {
			return local.words
		}
	}
	return ""
}

// over returns the client that sends its requests through rt.
func over(rt http.RoundTripper) sim.Client { return explained(sim.Over(rt)) }

// explained returns the client with its refusals explained.
func explained(client sim.Client) sim.Client {
	return func(ctx context.Context) error {
		err := client(ctx)
		if words := localCause(err); words != "" {
			return sim.Explain(err, words)
		}
		return err
	}
}
