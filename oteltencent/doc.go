// Package oteltencent makes the calls of a tencenthttp.Transport visible in OpenTelemetry: spans for calls and their attempts, and
// metrics. One line installs it:
//
//	rt, err := tencenthttp.NewTransport(base, oteltencent.Instrument())
//
// # Spans
//
// A call has one span of kind client, named service/action, from its beginning to the return of RoundTrip: the body of the answer
// is the caller's to read. Each attempt has a child span of kind client, named by its HTTP method, with http.request.resend_count
// from the second one on. Waits, retries, refusals and changes of a breaker or a learned rate are events of the call's span. The
// span of a call that panics is never ended.
//
// # Together with otelhttp
//
// otelhttp outside, around the Transport, already has a client span for the call; ours is then of kind internal, so that nobody
// counts the call twice. With otelhttp inside, as the base RoundTripper, [WithSpansBelow] says so; our spans of attempts are then
// of kind internal and leave the HTTP attributes to otelhttp's, which become their children. The context of each attempt has its
// span, so otelhttp's traceparent goes along; this package itself adds no header to any request. Its metrics have names of their
// own, beside otelhttp's http.client.*.
//
// # Metrics
//
// All are named tencentcloud.client.*, and have rpc.service, rpc.method (the action) and cloud.region, or server.address and
// cloud.region for breakers. The README of the repository has the table.
//
// How many time series there may be is bounded: by default 100 triples of service, action and region have their own, in the order
// in which they are first called; all others together have _OTHER in place of each ([WithMaxTargets]). So have endpoints beyond
// as many, and error codes beyond ten for each target on average. No account, RequestId or host of a resource is in any metric.
package oteltencent
