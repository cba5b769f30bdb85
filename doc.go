// Package tencenthttp makes calls to Tencent Cloud API 3.0 resilient, below any client that takes an http.RoundTripper: the
// Tencent Cloud SDK, an http.Client, the COS SDK, or another transport such as otelhttp or oauth2.
//
//	rt, err := tencenthttp.NewTransport(nil)
//	client.WithHttpTransport(rt) // a client of the Tencent Cloud SDK
//
// API 3.0 answers HTTP 200 even if a call failed. What happened is in the envelope of the answer:
//
//	{"Response":{"Error":{"Code":"RequestLimitExceeded","Message":"..."},"RequestId":"..."}}
//
// A Transport reads it, in at most the first 64 KiB and leaving the body as it was, and decides by the code, and by the action,
// whether the call is sent again. In the order in which a call meets them:
//
//   - The breaker of the endpoint (host and region) refuses calls for a while after many faults: WithBreaker, [ErrBreakerOpen].
//   - The pacer of the [Target] (action, region, account) lets calls pass no faster than the service accepts, which it learns, nor
//     than a limit: WithRateLimit, WithMaxWait, WithoutPacing, [ErrRateLimited].
//   - The classifier judges what comes back: [Classify], [ClassifyCode], WithCode.
//   - A call is sent again if its failure is retryable; or if it may have run, and running it twice is harmless: [Idempotent],
//     ContextWithIdempotent, WithIdempotentActions. A mutating call with a ClientToken is harmless; one without is not.
//   - A throttled call waits for its next turn. The delay of every other one is full jitter (WithBackOff), at least what Retry-After
//     asks for, and never one that ends after the deadline. Retries of faults draw on a budget, so that an outage is not made worse:
//     WithRetryBudget.
//
// The last answer is what the caller gets, body intact: the SDK makes its own error of it. Only a call that got no answer at all
// ends with an error, a [*CallError], which says why there was no further attempt.
//
// What a call went through is in the [Report] that [ContextWithReport] gives; [Hooks] and WithLogger tell of all calls. Module
// oteltencent makes OpenTelemetry spans and metrics of them, package status a page.
//
// [ReadEnvelope] gives callers without an SDK the *[APIError] of an answer. Package tctest is a fake of the API, for tests.
// The folder examples has programs to run; go run -C examples ./quickstart is the one to begin with.
package tencenthttp
