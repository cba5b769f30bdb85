package policy

import (
	"context"
	"net/http"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// newRetryablehttp returns go-retryablehttp's RoundTripper, with its exponential backoff, which has no jitter.
func newRetryablehttp(s Spec, site sim.Site) (sim.Client, error) {
	return over(&retryablehttp.RoundTripper{Client: &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: guarded(site.Base, s.Rules)},
		RetryWaitMin: s.Backoff.Min.D(),
		RetryWaitMax: s.Backoff.Max.D(),
		RetryMax:     s.Attempts - 1,
		Backoff:      retryablehttp.DefaultBackoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
		CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			return again(resp, err), nil
		},
	}}), nil
}
