package oteltencent

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/tencenthttp/tencenthttp"
)

// call is what the hooks of one call share. They are called one after the other. It is the call's context as well.
type call struct {
	context.Context
	of      *telemetry
	target  *target
	span    trace.Span
	attempt trace.Span // the latest
	waits   tencenthttp.Waits
}

// callKey is the key of a context's call. Another Instrument has another.
type callKey struct{ t *telemetry }

// Value implements context.Context.
func (c *call) Value(key any) any {
	if key == any(callKey{c.of}) {
		return c
	}
	return c.Context.Value(key)
}

func (t *telemetry) callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{t}).(*call)
	return c
}

func (t *telemetry) start(ctx context.Context, info tencenthttp.StartInfo) context.Context {
	c := &call{of: t, target: t.targets.get(info.Target, info.Method)}
	options := c.target.callSpan
	if withinClientSpan(ctx) {
		options = c.target.innerCallSpan
	}
	c.Context, c.span = t.tracer.Start(ctx, c.target.name, options...)
	return c
}

// withinClientSpan tells whether the call is already in a client span of this process, such as otelhttp's. The API has no way to
// ask that; the SDK's spans have.
func withinClientSpan(ctx context.Context) bool {
	parent, ok := trace.SpanFromContext(ctx).(interface{ SpanKind() trace.SpanKind })
	return ok && parent.SpanKind() == trace.SpanKindClient
}

func (t *telemetry) send(ctx context.Context, info tencenthttp.SendInfo) context.Context {
	c := t.callOf(ctx)
	t.waited(ctx, c, info.Waits)
	ctx, c.attempt = t.tracer.Start(ctx, info.Method, t.attemptSpan(c, info)...)
	return ctx
}

func (t *telemetry) attempt(ctx context.Context, info tencenthttp.AttemptInfo) {
	c := t.callOf(ctx)
	how := resultOf(info)
	options := c.target.with(resultKey, how)
	t.attempts.Add(ctx, 1, options.add...)
	t.attemptDuration.Record(ctx, info.Latency.Seconds(), options.record...)
	if c.attempt.IsRecording() {
		t.describeAttempt(c.attempt, info)
	}
	c.attempt.End()
}

func (t *telemetry) retry(ctx context.Context, info tencenthttp.RetryInfo) {
	c := t.callOf(ctx)
	code := errorType(info.AttemptInfo)
	t.retries.Add(ctx, 1, t.targets.withCode(c.target, code).add...)
	if c.span.IsRecording() {
		c.span.AddEvent("tencentcloud.retry", trace.WithAttributes(
			errorTypeKey.String(code), attemptKey.Int(info.Attempt), delayKey.Float64(info.Delay.Seconds())))
	}
}

func (t *telemetry) refusal(ctx context.Context, info tencenthttp.RefusalInfo) {
	c := t.callOf(ctx)
	t.refusals.Add(ctx, 1, c.target.with(reasonKey, string(info.Reason)).add...)
	if c.span.IsRecording() {
		c.span.AddEvent("tencentcloud.refusal", trace.WithAttributes(
			reasonKey.String(string(info.Reason)), delayKey.Float64(info.RetryAfter.Seconds())))
	}
}

// waited notes waits that are over.
func (t *telemetry) waited(ctx context.Context, c *call, waits tencenthttp.Waits) {
	for kind, wait := range waits.All() {
		t.waitTime.Add(ctx, wait.Seconds(), c.target.with(waitKey, string(kind)).add...)
		if c.span.IsRecording() {
			c.span.AddEvent("tencentcloud.wait", trace.WithAttributes(waitKey.String(string(kind)), delayKey.Float64(wait.Seconds())))
		}
	}
	c.waits.Backoff += waits.Backoff
	c.waits.Pacing += waits.Pacing
	c.waits.Breaker += waits.Breaker
}

func (t *telemetry) breakerChange(ctx context.Context, info tencenthttp.BreakerChangeInfo) {
	t.breakerChanges.Add(ctx, 1, t.targets.endpoint(info.Host, info.Region).with(breakerKey, info.To.String()).add...)
	if c := t.callOf(ctx); c != nil && c.span.IsRecording() {
		c.span.AddEvent("tencentcloud.breaker", trace.WithAttributes(
			serverAddressKey.String(info.Host), breakerKey.String(info.To.String())))
	}
}

func (t *telemetry) rateChange(ctx context.Context, info tencenthttp.RateChangeInfo) {
	t.rateChanges.Add(ctx, 1, t.targets.labels(info.Target).with(causeKey, string(info.Cause)).add...)
	if c := t.callOf(ctx); c != nil && c.span.IsRecording() {
		c.span.AddEvent("tencentcloud.rate", trace.WithAttributes(causeKey.String(string(info.Cause)), rateKey.Float64(float64(info.To))))
	}
}

func (t *telemetry) done(ctx context.Context, info tencenthttp.DoneInfo) {
	c := t.callOf(ctx)
	t.waited(ctx, c, info.Waits.Minus(c.waits))
	t.calls.Add(ctx, 1, c.target.with(reasonKey, string(info.Reason)).add...)
	how := "failure"
	if info.Reason == tencenthttp.ReasonSuccess {
		how = "success"
	}
	t.callDuration.Record(ctx, info.Elapsed.Seconds(), c.target.with(resultKey, how).record...)
	if c.span.IsRecording() {
		describeCall(c.span, info)
	}
	c.span.End()
}
