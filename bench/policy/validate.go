package policy

import (
	"errors"
	"fmt"
)

// validate reports everything that makes no sense, rather than to have some library panic.
func (s Spec) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(s.Name != "", "name: it needs one")
	check(s.Attempts >= 1, "attempts: %d: want at least 1", s.Attempts)
	check(s.Backoff.Min > 0 && s.Backoff.Max >= s.Backoff.Min, "backoff: %v to %v: want above zero and growing", s.Backoff.Min, s.Backoff.Max)
	check(s.AttemptTimeout > 0, "attemptTimeout: %v: want above zero", s.AttemptTimeout)
	b := s.Breaker
	check(b.FailureRatio > 0 && b.FailureRatio <= 1, "breaker.failureRatio: %v: want above 0 and at most 1", b.FailureRatio)
	check(b.MinCalls >= 1, "breaker.minCalls: %d: want at least 1", b.MinCalls)
	check(b.Window > 0 && b.OpenFor > 0, "breaker: window %v, openFor %v: want above zero", b.Window, b.OpenFor)
	check(s.RateLimit == RateLimit{} || s.RateLimit.Rate > 0 && s.RateLimit.Burst >= 1,
		"rateLimit: %v/s, burst %d: want both above zero", s.RateLimit.Rate, s.RateLimit.Burst)
	check(s.MaxWait >= 0 && s.HoldFor >= 0, "maxWait %v, holdFor %v: must not be negative", s.MaxWait, s.HoldFor)
	ours := s.RateLimit != RateLimit{} || s.KnowsQuota || !s.Pacing || s.MaxWait != 0 || s.HoldFor != 0
	check(s.Use == "ours" || !ours, "rateLimit, knowsQuota, pacing, maxWait and holdFor are for ours, not for %s", s.Use)
	return errors.Join(errs...)
}
