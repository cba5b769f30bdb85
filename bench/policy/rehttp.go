package policy

import (
	"net/http"
	"time"

	"github.com/PuerkitoBio/rehttp"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// Rehttp returns rehttp's Transport, with its exponential delay of full jitter.
func Rehttp(rules Rules) sim.Policy {
	return sim.Policy{Name: "rehttp", New: func(base http.RoundTripper, seed uint64) (sim.Client, error) {
		delays := newJitter(rules, seed)
		return over(rehttp.NewTransport(guarded(base, rules),
			rehttp.RetryAll(rehttp.RetryMaxRetries(rules.Attempts-1), func(attempt rehttp.Attempt) bool {
				return again(attempt.Response, attempt.Error)
			}),
			func(attempt rehttp.Attempt) time.Duration { return delays.delay(attempt.Index + 1) },
		)), nil
	}}
}
