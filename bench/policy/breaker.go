package policy

import (
	"errors"
	"net/http"

	"github.com/sony/gobreaker/v2"

	"github.com/tencenthttp/tencenthttp/bench/peer"
)

// breaking is a gobreaker around every request, for libraries that have no breaker: what one would add to them by hand. Throttles and
// requests that the caller gave up say nothing about the service's health.
type breaking struct {
	base    http.RoundTripper
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
}

var (
	errFault   = errors.New("fault")
	errNeutral = errors.New("neither fault nor success")
)

// guarded puts a timeout for each request, and a breaker, around base.
func guarded(base http.RoundTripper, rules Rules) http.RoundTripper {
	r := rules.Breaker
	return &breaking{attemptTimeout{base, rules.AttemptTimeout.D()}, gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Interval: r.Window.D(), BucketPeriod: r.Window.D() / 10, Timeout: r.OpenFor.D(),
		ReadyToTrip: func(c gobreaker.Counts) bool {
			seen := c.TotalSuccesses + c.TotalFailures // Requests would include those that are neither
			return seen >= uint32(r.MinCalls) && float64(c.TotalFailures) >= r.FailureRatio*float64(seen)
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errNeutral) },
	})}
}

// RoundTrip implements http.RoundTripper.
func (b *breaking) RoundTrip(req *http.Request) (*http.Response, error) {
	done, err := b.breaker.Allow()
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	resp, err := b.base.RoundTrip(req)
	done(health(resp, err))
	return resp, err
}

// health is what the breaker is told.
func health(resp *http.Response, err error) error {
	switch {
	case fault(resp, err):
		return errFault
	case err != nil:
		return errNeutral
	}
	if code, _ := peer.Bounded(resp); code != "" {
		return errNeutral
	}
	return nil
}
