package tencenthttp

// RateCause says why a learned rate changed. Its text is meant for logs and metrics and is stable.
type RateCause string

// The causes of a RateChangeInfo.
const (
	RateThrottled RateCause = "throttled" // the service refused an attempt because there were too many
	RateSlow      RateCause = "slow"      // the service answered more slowly
	RateFault     RateCause = "fault"     // the service failed
	RateRecovered RateCause = "recovered" // the service works again
	RateForgotten RateCause = "forgotten" // nothing limits the target any more
)
