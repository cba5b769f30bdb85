package peer

import (
	"context"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Retryablehttp returns go-retryablehttp's RoundTripper with its default policy and the look after it.
func Retryablehttp(base http.RoundTripper, look Look) http.RoundTripper {
	return &retryablehttp.RoundTripper{Client: &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: base},
		RetryWaitMin: 100 * time.Millisecond,
		RetryWaitMax: 20 * time.Second,
		RetryMax:     3,
		Backoff:      retryablehttp.DefaultBackoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
		CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			again, checkErr := retryablehttp.DefaultRetryPolicy(ctx, resp, err)
			if again || checkErr != nil || err != nil {
				return again, checkErr
			}
			code, err := look(resp)
			if err != nil {
				return true, err
			}
			return retryable(code), nil
		},
	}}
}
