package peer

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// maxAttempts is for the AWS retryers what 3 retries are for the others.
const maxAttempts = 4

// AWSStandard returns a transport around the standard retryer of aws-sdk-go-v2: backoff with jitter and a bucket of retry tokens.
func AWSStandard(base http.RoundTripper, look Look) http.RoundTripper {
	return &awsTransport{base: base, look: look, retryer: retry.NewStandard(awsOptions)}
}

// AWSAdaptive returns a transport around the adaptive retryer, which has a client-side rate on top that throttles bring down.
func AWSAdaptive(base http.RoundTripper, look Look) http.RoundTripper {
	return &awsTransport{base: base, look: look, retryer: retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
		o.StandardOptions = append(o.StandardOptions, awsOptions)
	})}
}

// awsOptions makes the retryer know the code that it does not share with Tencent Cloud: RequestLimitExceeded it has.
func awsOptions(o *retry.StandardOptions) {
	o.MaxAttempts = maxAttempts
	o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: map[string]struct{}{"InternalError": {}}})
}

// awsTransport does with a retryer what the SDK's own middleware does with it.
type awsTransport struct {
	base    http.RoundTripper
	look    Look
	retryer aws.RetryerV2
}

// answerError is how an answer that is a failure is put before a retryer.
type answerError struct {
	status int
	code   string
}

func (e answerError) Error() string       { return http.StatusText(e.status) + " " + e.code }
func (e answerError) ErrorCode() string   { return e.code }
func (e answerError) HTTPStatusCode() int { return e.status }

// RoundTrip implements http.RoundTripper.
func (t *awsTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	release := func(error) error { return nil }
	for attempt := 1; ; attempt++ {
		resp, err := t.attempt(req, attempt, release)
		if err == nil || attempt == t.retryer.MaxAttempts() || !t.retryer.IsErrorRetryable(err) {
			return answer(resp, err)
		}
		var tokenErr error
		if release, tokenErr = t.retryer.GetRetryToken(ctx, err); tokenErr != nil {
			return answer(resp, err)
		}
		delay, delayErr := t.retryer.RetryDelay(attempt, err)
		if delayErr != nil {
			return answer(resp, err)
		}
		if resp != nil {
			resp.Body.Close()
		}
		if err := sleep(ctx, delay); err != nil {
			return nil, err
		}
	}
}

func (t *awsTransport) attempt(req *http.Request, attempt int, release func(error) error) (*http.Response, error) {
	if attempt > 1 {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = body
	}
	done, err := t.retryer.GetAttemptToken(req.Context())
	if err != nil {
		return refuse(req, err)
	}
	resp, err := t.base.RoundTrip(req)
	if err == nil {
		var code string
		if code, err = t.look(resp); err == nil && (code != "" || resp.StatusCode >= 500) {
			err = answerError{status: resp.StatusCode, code: code}
		}
	}
	_ = release(err)
	_ = done(err)
	return resp, err
}

// answer is the result of RoundTrip: a failure that came as an answer is handed to the caller as one.
func answer(resp *http.Response, err error) (*http.Response, error) {
	if _, failed := errors.AsType[answerError](err); failed || err == nil {
		return resp, nil
	}
	return nil, err
}

func sleep(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
