package oteltencent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/oteltencent"
)

// What must not be seen anywhere.
const (
	secretID  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	signature = "deadbeefdeadbeef"
	token     = "token-of-a-role"
	password  = "password-in-the-body"
)

// watched is a Transport with all that OpenTelemetry has seen of it.
type watched struct {
	*tencenthttp.Transport
	spans  *tracetest.SpanRecorder
	reader *sdkmetric.ManualReader
	tracer *trace.TracerProvider
	meters *sdkmetric.MeterProvider
}

// watch makes a Transport that retries after a second.
func watch(t testing.TB, base http.RoundTripper, instrument []oteltencent.Option, opts ...tencenthttp.Option) *watched {
	t.Helper()
	w := &watched{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	w.tracer = trace.NewTracerProvider(trace.WithSpanProcessor(w.spans))
	w.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(w.reader))
	instrument = append(instrument, oteltencent.WithTracerProvider(w.tracer), oteltencent.WithMeterProvider(w.meters))
	second := tencenthttp.WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(time.Second) })
	var err error
	w.Transport, err = tencenthttp.NewTransport(base, append([]tencenthttp.Option{second, oteltencent.Instrument(instrument...)}, opts...)...)
	require.NoError(t, err)
	return w
}

func newRequest(ctx context.Context, action string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(`{"Password":"`+password+`"}`))
	if err != nil {
		panic(err)
	}
	req.Header = http.Header{
		"Content-Type": {"application/json"}, "X-Tc-Action": {action}, "X-Tc-Region": {"ap-guangzhou"}, "X-Tc-Token": {token},
		"Authorization": {"TC3-HMAC-SHA256 Credential=" + secretID + "/2026-01-01/cvm/tc3_request, SignedHeaders=content-type;host, Signature=" + signature},
	}
	return req
}

// call makes a call, and reads the answer to its end.
func call(ctx context.Context, rt http.RoundTripper, action string) error {
	resp, err := rt.RoundTrip(newRequest(ctx, action))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// collect returns what there is of metrics.
func (w *watched) collect(t testing.TB) metricdata.ResourceMetrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, w.reader.Collect(context.Background(), &all))
	return all
}

// series lists the time series of counters and gauges as "name{label,label} value", and the counts of histograms.
func series(all metricdata.ResourceMetrics) map[string]float64 {
	found := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			name := strings.TrimPrefix(m.Name, "tencentcloud.client.")
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				addPoints(found, name, data.DataPoints)
			case metricdata.Sum[float64]:
				addPoints(found, name, data.DataPoints)
			case metricdata.Gauge[int64]:
				addPoints(found, name, data.DataPoints)
			case metricdata.Gauge[float64]:
				addPoints(found, name, data.DataPoints)
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					found[name+labelsOf(point.Attributes)] = float64(point.Count)
				}
			}
		}
	}
	return found
}

func addPoints[N int64 | float64](found map[string]float64, name string, points []metricdata.DataPoint[N]) {
	for _, point := range points {
		found[name+labelsOf(point.Attributes)] = float64(point.Value)
	}
}

func labelsOf(set attribute.Set) string {
	var values []string
	for _, attr := range set.ToSlice() {
		values = append(values, attr.Value.String())
	}
	return "{" + strings.Join(values, ",") + "}"
}

// dump is all that would be exported, as text.
func (w *watched) dump(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	exporter, err := stdouttrace.New(stdouttrace.WithWriter(&b))
	require.NoError(t, err)
	require.NoError(t, exporter.ExportSpans(context.Background(), w.spans.Ended()))
	metrics, err := json.Marshal(w.collect(t))
	require.NoError(t, err)
	return b.String() + string(metrics)
}

func attr(span trace.ReadOnlySpan, key string) string {
	for _, a := range span.Attributes() {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}

// describe lists a span and its events with all attributes, in a line each.
func describe(span trace.ReadOnlySpan) []string {
	list := func(attrs []attribute.KeyValue) string {
		set := attribute.NewSet(attrs...)
		var parts []string
		for _, a := range set.ToSlice() {
			value := a.Value.String()
			if a.Value.Type() == attribute.FLOAT64 {
				value = fmt.Sprintf("%.3f", a.Value.AsFloat64())
			}
			parts = append(parts, fmt.Sprintf("%s=%s", a.Key, value))
		}
		return strings.Join(parts, " ")
	}
	status := span.Status().Code.String()
	if span.Status().Description != "" {
		status += "(" + span.Status().Description + ")"
	}
	lines := []string{fmt.Sprintf("%s %s %v %s: %s", span.SpanKind(), span.Name(), span.EndTime().Sub(span.StartTime()).Round(time.Millisecond), status, list(span.Attributes()))}
	for _, event := range span.Events() {
		lines = append(lines, fmt.Sprintf("  at %v %s: %s", event.Time.Sub(span.StartTime()).Round(time.Millisecond), event.Name, list(event.Attributes)))
	}
	return lines
}
