package policy

import (
	"context"
	"net/http"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// Retryablehttp returns go-retryablehttp's RoundTripper, with its exponential backoff, which has no jitter.
func Retryablehttp(rules Rules) sim.Policy {
	return sim.Policy{Name: "retryablehttp", New: func(base http.RoundTripper, _ uint64) (sim.Client, error) {
		return over(&retryablehttp.RoundTripper{Client: &retryablehttp.Client{
			HTTPClient:   &http.Client{Transport: guarded(base, rules)},
			RetryWaitMin: rules.BackoffMin,
			RetryWaitMax: rules.BackoffMax,
			RetryMax:     rules.Attempts - 1,
			Backoff:      retryablehttp.DefaultBackoff,
			ErrorHandler: retryablehttp.PassthroughErrorHandler,
			CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
				if ctx.Err() != nil {
					return false, ctx.Err()
				}
				return again(resp, err), nil
			},
		}}), nil
	}}
}
