package policy

import (
	"net/http"
	"time"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// All returns every policy of the comparison, with the same rules.
func All(rules Rules) []sim.Policy {
	return []sim.Policy{
		Bare(rules),
		Ours("ours", rules),
		Ours("ours+limit", rules, tencenthttp.WithRateLimit(20, 20)),
		Ours("ours-pacing", rules, tencenthttp.WithoutPacing()),
		OursHolding("ours+hold", rules, 30*time.Second),
		Ours("ours+maxwait", rules, tencenthttp.WithMaxWait(3*time.Second)),
		Failsafe(rules),
		FailsafeAdaptive(rules),
		Retryablehttp(rules),
		Rehttp(rules),
		Resty(rules),
		AWSStandard(rules),
		AWSAdaptive(rules),
		SDK(rules),
	}
}

// Bare returns the policy of doing nothing: every call is one request.
func Bare(rules Rules) sim.Policy {
	return sim.Policy{Name: "bare", New: func(base http.RoundTripper, _ uint64) (sim.Client, error) {
		return over(attemptTimeout{base, rules.AttemptTimeout}), nil
	}}
}
