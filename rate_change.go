package tencenthttp

// RateCause says why a learned rate has changed. Its text is meant for logs and metrics and is stable.
type RateCause string

// The causes.
const (
	RateThrottled RateCause = "throttled" // the service has throttled a call
	RateSlow      RateCause = "slow"      // its answers have become slow
	RateFault     RateCause = "fault"     // half of its answers are faults
	RateRecovered RateCause = "recovered" // it is well again
	RateForgotten RateCause = "forgotten" // nobody has needed the rate for five minutes
)
