package policy

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// Ours returns this project's Transport with the rules, and otherwise its defaults but for the options.
func Ours(name string, rules Rules, opts ...tencenthttp.Option) sim.Policy {
	return OursHolding(name, rules, 0, opts...)
}

// OursHolding returns it with BreakerSettings.HoldFor.
func OursHolding(name string, rules Rules, holdFor time.Duration, opts ...tencenthttp.Option) sim.Policy {
	b := rules.Breaker
	breaker := tencenthttp.BreakerSettings{
		FailureRatio: b.FailureRatio, MinCalls: uint32(b.MinCalls), Window: b.Window, OpenFor: b.OpenFor, HoldFor: holdFor,
	}
	return sim.Policy{Name: name, New: func(base http.RoundTripper, seed uint64) (sim.Client, error) {
		delays := newJitter(rules, seed)
		rt, err := tencenthttp.NewTransport(base, slices.Concat([]tencenthttp.Option{
			tencenthttp.WithMaxAttempts(rules.Attempts),
			tencenthttp.WithBackOff(func() backoff.BackOff { return &jitterBackOff{jitter: delays} }),
			tencenthttp.WithAttemptTimeout(rules.AttemptTimeout),
			tencenthttp.WithBreaker(breaker),
		}, opts)...)
		if err != nil {
			return nil, err
		}
		call := sim.Over(rt)
		return sim.Labeled(call, oursCause), nil
	}}
}

// oursCause puts the reason of a refusal into words.
func oursCause(err error) string {
	if refused, ok := errors.AsType[*tencenthttp.CallError](err); ok {
		if refused.Code != "" {
			return string(refused.Reason) + " after " + refused.Code
		}
		return string(refused.Reason)
	}
	return ""
}
