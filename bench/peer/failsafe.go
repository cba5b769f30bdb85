package peer

import (
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
)

// Failsafe returns failsafe-go's RoundTripper with a retry policy around a circuit breaker.
func Failsafe(base http.RoundTripper, look Look) http.RoundTripper {
	retry := failsafehttp.NewRetryPolicyBuilder().
		HandleIf(func(resp *http.Response, err error) bool { return failed(resp, err, look, retryable) }).
		WithMaxRetries(3).
		WithBackoff(100*time.Millisecond, 20*time.Second).
		ReturnLastFailure().
		Build()
	breaker := circuitbreaker.NewBuilder[*http.Response]().
		HandleIf(func(resp *http.Response, err error) bool { return failed(resp, err, look, fault) }).
		WithFailureRateThreshold(.5, 20, 10*time.Second).
		WithDelay(5 * time.Second).
		Build()
	return failsafehttp.NewRoundTripper(base, retry, breaker)
}

func failed(resp *http.Response, err error, look Look, worse func(code string) bool) bool {
	if err != nil {
		return true
	}
	code, err := look(resp)
	return err != nil || worse(code)
}
