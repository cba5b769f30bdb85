package policy

import (
	"context"
	"net/http"

	"resty.dev/v3"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// Resty returns a resty client with its own retries and its circuit breaker. The window of that is as long as it stays open, and
// requests without an answer do not open it.
func Resty(rules Rules) sim.Policy {
	return sim.Policy{Name: "resty", New: func(base http.RoundTripper, _ uint64) (sim.Client, error) {
		b := rules.Breaker
		client := resty.New().
			SetTransport(attemptTimeout{base, rules.AttemptTimeout}).
			SetRetryCount(rules.Attempts - 1).
			SetRetryWaitTime(rules.BackoffMin).
			SetRetryMaxWaitTime(rules.BackoffMax).
			SetRetryAllowNonIdempotent(true).
			AddRetryConditions(func(resp *resty.Response, err error) bool { return again(resp.RawResponse, err) }).
			SetCircuitBreaker(resty.NewCircuitBreakerRatio(b.FailureRatio, uint64(b.MinCalls), b.OpenFor,
				func(resp *resty.Response) bool { return fault(resp.RawResponse, nil) }))
		return sim.Labeled(func(ctx context.Context) error {
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
		}, localCause), nil
	}}
}
