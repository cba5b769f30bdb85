package peer

import (
	"net/http"
	"time"

	"github.com/PuerkitoBio/rehttp"
)

// Rehttp returns rehttp's Transport.
func Rehttp(base http.RoundTripper, look Look) http.RoundTripper {
	return rehttp.NewTransport(base,
		rehttp.RetryAll(
			rehttp.RetryMaxRetries(3),
			rehttp.RetryAny(
				rehttp.RetryTemporaryErr(),
				rehttp.RetryStatusInterval(500, 600),
				func(attempt rehttp.Attempt) bool {
					if attempt.Response == nil {
						return false
					}
					code, err := look(attempt.Response)
					return err != nil || retryable(code)
				},
			),
		),
		rehttp.ExpJitterDelay(100*time.Millisecond, 20*time.Second),
	)
}
