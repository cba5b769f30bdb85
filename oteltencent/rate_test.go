package oteltencent

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp"
)

func TestTelemetry_ARateThatChanges(t *testing.T) {
	spans, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
	hooks := newTelemetry(config{
		tracers:    trace.NewTracerProvider(trace.WithSpanProcessor(spans)),
		meters:     sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		maxTargets: 100,
	}).hooks()
	target := tencenthttp.Target{Service: "cvm", Action: "DescribeInstances", Region: "ap-guangzhou"}
	change := tencenthttp.RateChangeInfo{Target: target, From: rate.Inf, To: 12.5, Cause: tencenthttp.RateThrottled}
	ctx := hooks.Start(t.Context(), tencenthttp.StartInfo{Target: target, Method: "POST"})
	hooks.RateChange(ctx, change)
	hooks.RateChange(context.Background(), change) // outside of any call
	hooks.Done(ctx, tencenthttp.DoneInfo{Target: target, Reason: tencenthttp.ReasonSuccess})

	events := spans.Ended()[0].Events()
	require.Len(t, events, 1)
	assert.Equal(t, "tencentcloud.rate", events[0].Name)
	assert.Equal(t, []attribute.KeyValue{causeKey.String("throttled"), rateKey.Float64(12.5)}, events[0].Attributes)
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	for _, m := range all.ScopeMetrics[0].Metrics {
		if m.Name == "tencentcloud.client.rate.changes" {
			point := m.Data.(metricdata.Sum[int64]).DataPoints[0]
			cause, _ := point.Attributes.Value(causeKey)
			assert.Equal(t, int64(2), point.Value)
			assert.Equal(t, "throttled", cause.AsString())
			return
		}
	}
	assert.Fail(t, "there is no tencentcloud.client.rate.changes")
}
