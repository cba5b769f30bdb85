package policy

import (
	"context"
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
		return movingRetryer{retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
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

// movingRetryer makes virtual time pass while the adaptive retryer waits. Short of a token by less than a nanosecond's worth, it
// sleeps for 0 ns until there is one; a real clock moves meanwhile, that of a bubble does not.
type movingRetryer struct{ *retry.AdaptiveMode }

func (r movingRetryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	return r.AdaptiveMode.GetAttemptToken(movingContext{ctx})
}

// movingContext takes a microsecond to be asked for its Done, which every sleep does.
type movingContext struct{ context.Context }

func (c movingContext) Done() <-chan struct{} {
	time.Sleep(time.Microsecond)
	return c.Context.Done()
}
