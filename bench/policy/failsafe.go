package policy

import (
	"net/http"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// Failsafe returns failsafe-go: a retry policy around its circuit breaker.
func Failsafe(rules Rules) sim.Policy {
	return failsafePolicy("failsafe", rules, func() []failsafe.Policy[*http.Response] { return nil })
}

// FailsafeAdaptive adds its adaptive limiter of concurrency inside, with a queue.
func FailsafeAdaptive(rules Rules) sim.Policy {
	return failsafePolicy("failsafe-adaptive", rules, func() []failsafe.Policy[*http.Response] {
		return []failsafe.Policy[*http.Response]{
			adaptivelimiter.NewBuilder[*http.Response]().WithQueueing(2, 3).Build(),
		}
	})
}

func failsafePolicy(name string, rules Rules, inner func() []failsafe.Policy[*http.Response]) sim.Policy {
	return sim.Policy{Name: name, New: func(base http.RoundTripper, _ uint64) (sim.Client, error) {
		retry := failsafehttp.NewRetryPolicyBuilder().
			HandleIf(again).
			AbortIf(func(_ *http.Response, err error) bool { return refusal(err) }).
			WithMaxRetries(rules.Attempts-1).
			WithBackoff(rules.BackoffMin, rules.BackoffMax).
			WithJitterFactor(.5).
			ReturnLastFailure().
			Build()
		b := rules.Breaker
		breaker := circuitbreaker.NewBuilder[*http.Response]().
			HandleIf(fault).
			WithFailureRateThreshold(b.FailureRatio, b.MinCalls, b.Window).
			WithDelay(b.OpenFor).
			WithSuccessThreshold(1).
			Build()
		policies := append([]failsafe.Policy[*http.Response]{retry, breaker}, inner()...)
		return over(failsafehttp.NewRoundTripper(attemptTimeout{base, rules.AttemptTimeout}, policies...)), nil
	}}
}
