package policy

import (
	"time"

	"github.com/PuerkitoBio/rehttp"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// newRehttp returns rehttp's Transport. Its own exponential delay with full jitter is the same, but for the seed.
func newRehttp(s Spec, site sim.Site) (sim.Client, error) {
	delays := newJitter(s.Rules, site.Seed)
	return over(rehttp.NewTransport(guarded(site.Base, s.Rules),
		rehttp.RetryAll(rehttp.RetryMaxRetries(s.Attempts-1), func(attempt rehttp.Attempt) bool {
			return again(attempt.Response, attempt.Error)
		}),
		func(attempt rehttp.Attempt) time.Duration { return delays.delay(attempt.Index + 1) },
	)), nil
}
