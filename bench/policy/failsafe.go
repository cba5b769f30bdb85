package policy

import (
	"net/http"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// newFailsafe returns failsafe-go: a retry policy around its circuit breaker.
func newFailsafe(s Spec, site sim.Site) (sim.Client, error) {
	return over(failsafehttp.NewRoundTripper(attemptTimeout{site.Base, s.AttemptTimeout.D()}, failsafePolicies(s)...)), nil
}

// newFailsafeAdaptive adds its adaptive limiter of concurrency inside, with a queue.
func newFailsafeAdaptive(s Spec, site sim.Site) (sim.Client, error) {
	limiter := adaptivelimiter.NewBuilder[*http.Response]().WithQueueing(2, 3).Build()
	policies := append(failsafePolicies(s), limiter)
	return over(failsafehttp.NewRoundTripper(attemptTimeout{site.Base, s.AttemptTimeout.D()}, policies...)), nil
}

func failsafePolicies(s Spec) []failsafe.Policy[*http.Response] {
	retry := failsafehttp.NewRetryPolicyBuilder().
		HandleIf(again).
		AbortIf(func(_ *http.Response, err error) bool { return refusal(err) }).
		WithMaxRetries(s.Attempts-1).
		WithBackoff(s.Backoff.Min.D(), s.Backoff.Max.D()).
		WithJitterFactor(.5).
		ReturnLastFailure().
		Build()
	breaker := circuitbreaker.NewBuilder[*http.Response]().
		HandleIf(fault).
		WithFailureRateThreshold(s.Breaker.FailureRatio, uint(s.Breaker.MinCalls), s.Breaker.Window.D()).
		WithDelay(s.Breaker.OpenFor.D()).
		WithSuccessThreshold(1).
		Build()
	return []failsafe.Policy[*http.Response]{retry, breaker}
}
