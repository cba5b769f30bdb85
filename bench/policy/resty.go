package policy

import (
	"context"

	"resty.dev/v3"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// newResty returns a resty client with its own retries and its circuit breaker. The window of that is as long as it stays open, and
// requests without an answer do not open it.
func newResty(s Spec, site sim.Site) (sim.Client, error) {
	client := resty.New().
		SetTransport(attemptTimeout{site.Base, s.AttemptTimeout.D()}).
		SetRetryCount(s.Attempts - 1).
		SetRetryWaitTime(s.Backoff.Min.D()).
		SetRetryMaxWaitTime(s.Backoff.Max.D()).
		SetRetryAllowNonIdempotent(true).
		AddRetryConditions(func(resp *resty.Response, err error) bool { return again(resp.RawResponse, err) }).
		SetCircuitBreaker(resty.NewCircuitBreakerRatio(s.Breaker.FailureRatio, uint64(s.Breaker.MinCalls), s.Breaker.OpenFor.D(),
			func(resp *resty.Response) bool { return fault(resp.RawResponse, nil) }))
	return explained(func(ctx context.Context) error {
		plain, err := sim.NewRequest(ctx)
		if err != nil {
			return err
		}
		request := client.R().SetContext(ctx).SetBody([]byte(sim.Payload))
		request.Header = plain.Header
		resp, err := request.Post(plain.URL.String())
		if err != nil {
			return err
		}
		return sim.Judge(resp.StatusCode(), resp.Bytes())
	}), nil
}
