package policy

import (
	"context"

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
			Window: s.Breaker.Window.D(), OpenFor: s.Breaker.OpenFor.D(), HoldFor: s.HoldFor.D(), Rand: delays.Float64,
		}),
		tencenthttp.WithHooks(tencenthttp.Hooks{Done: explain}),
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
	return explaining(sim.Over(rt)), nil
}

// limit returns what to give to WithRateLimit, if anything. Of a fixed window all may come at once.
func (s Spec) limit(quota sim.Quota) (RateLimit, bool) {
	if s.KnowsQuota && quota.PerSecond() > 0 {
		return RateLimit{Rate: quota.PerSecond(), Burst: max(quota.Burst, quota.Limit)}, true
	}
	return s.RateLimit, s.RateLimit != RateLimit{}
}

// reasonKey is the key of a context value, a *string, that takes why a call ended as it did.
type reasonKey struct{}

func explain(ctx context.Context, info tencenthttp.DoneInfo) {
	if words, ok := ctx.Value(reasonKey{}).(*string); ok {
		*words = string(info.Reason)
		if info.Code != "" {
			*words += " after " + info.Code
		}
	}
}

// explaining returns the client with all its failures explained: a throttle that is handed back may be the fourth, or the first.
func explaining(client sim.Client) sim.Client {
	return func(ctx context.Context) error {
		var words string
		if err := client(context.WithValue(ctx, reasonKey{}, &words)); err != nil {
			return sim.Explain(err, words)
		}
		return nil
	}
}
