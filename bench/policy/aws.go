package policy

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/tencenthttp/tencenthttp/bench/peer"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// newAWSStandard returns the standard retryer of aws-sdk-go-v2 with its bucket of retry tokens.
func newAWSStandard(s Spec, site sim.Site) (sim.Client, error) {
	return newAWS(s, site, func(standard func(*retry.StandardOptions)) aws.RetryerV2 {
		return retry.NewStandard(standard)
	})
}

// newAWSAdaptive returns its adaptive retryer, which has a client-side rate on top that throttles bring down.
func newAWSAdaptive(s Spec, site sim.Site) (sim.Client, error) {
	return newAWS(s, site, func(standard func(*retry.StandardOptions)) aws.RetryerV2 {
		return &movingRetryer{seed: site.Seed, AdaptiveMode: retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
			o.StandardOptions = append(o.StandardOptions, standard)
		})}
	})
}

func newAWS(s Spec, site sim.Site, newer func(func(*retry.StandardOptions)) aws.RetryerV2) (sim.Client, error) {
	delays := newJitter(s.Rules, site.Seed)
	retryer := newer(func(o *retry.StandardOptions) {
		o.MaxAttempts = s.Attempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return delays.delay(attempt), nil
		})
		// RequestLimitExceeded it knows, and as a throttle.
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: map[string]struct{}{"InternalError": {}}})
	})
	return over(peer.AWS(guarded(site.Base, s.Rules), peer.Bounded, retryer)), nil
}

// movingRetryer does for the adaptive retryer what a real clock does and that of a bubble does not. All who wait for a token wake in
// the same moment, short of it by less than a nanosecond's worth, and sleep for 0 ns until it is there. Here virtual time passes
// meanwhile, and not the same for all: as on a machine with several cores, anyone may be the first, and not always the youngest.
type movingRetryer struct {
	*retry.AdaptiveMode
	seed  uint64
	calls atomic.Uint64
}

func (r *movingRetryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	return r.AdaptiveMode.GetAttemptToken(movingContext{ctx, rand.New(rand.NewPCG(r.seed, r.calls.Add(1)))})
}

// movingContext takes up to a tenth of a millisecond to be asked for its Done, which the retryer does in every sleep.
type movingContext struct {
	context.Context
	rnd *rand.Rand
}

func (c movingContext) Done() <-chan struct{} {
	time.Sleep(time.Microsecond + time.Duration(c.rnd.Int64N(int64(100*time.Microsecond))))
	return c.Context.Done()
}
