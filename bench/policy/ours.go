package policy

import (
	"errors"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// newOurs returns this project's Transport with the spec's settings, and otherwise its defaults.
func newOurs(s Spec, site sim.Site) (sim.Client, error) {
	delays := newJitter(s.Rules, site.Seed)
	opts := []tencenthttp.Option{
		tencenthttp.WithMaxAttempts(s.Attempts),
		tencenthttp.WithBackOff(func() backoff.BackOff { return &jitterBackOff{jitter: delays} }),
		tencenthttp.WithAttemptTimeout(s.AttemptTimeout.D()),
		tencenthttp.WithMaxWait(s.MaxWait.D()),
		tencenthttp.WithBreaker(tencenthttp.BreakerSettings{
			FailureRatio: s.Breaker.FailureRatio, MinCalls: uint32(s.Breaker.MinCalls),
			Window: s.Breaker.Window.D(), OpenFor: s.Breaker.OpenFor.D(), HoldFor: s.HoldFor.D(),
		}),
	}
	if limit, ok := s.limit(site.Quota); ok {
		opts = append(opts, tencenthttp.WithRateLimit(rate.Limit(limit.Rate), limit.Burst))
	}
	if !s.Pacing {
		opts = append(opts, tencenthttp.WithoutPacing())
	}
	rt, err := tencenthttp.NewTransport(site.Base, opts...)
	if err != nil {
		return nil, err
	}
	return sim.Labeled(sim.Over(rt), oursCause), nil
}

// limit returns what to give to WithRateLimit, if anything. Of a fixed window all may come at once.
func (s Spec) limit(quota sim.Quota) (RateLimit, bool) {
	if s.KnowsQuota && quota.PerSecond() > 0 {
		return RateLimit{Rate: quota.PerSecond(), Burst: max(quota.Burst, quota.Limit)}, true
	}
	return s.RateLimit, s.RateLimit != RateLimit{}
}

// oursCause puts the reason of a refusal into words.
func oursCause(err error) string {
	refused, ok := errors.AsType[*tencenthttp.CallError](err)
	switch {
	case !ok:
		return ""
	case refused.Code != "":
		return string(refused.Reason) + " after " + refused.Code
	}
	return string(refused.Reason)
}
