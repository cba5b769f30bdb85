package oteltencent_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/oteltencent"
)

// BenchmarkCall measures a successful call over a base that answers at once: with the API's no-op, with the SDK for metrics, for
// spans that are sampled, for both; and with a Report. The spans go to a batcher, which the other core exports to nowhere.
func BenchmarkCall(b *testing.B) {
	none := []oteltencent.Option{oteltencent.WithTracerProvider(nooptrace.NewTracerProvider()), oteltencent.WithMeterProvider(noopmetric.NewMeterProvider())}
	tracer := trace.NewTracerProvider(trace.WithBatcher(tracetest.NewNoopExporter()))
	b.Cleanup(func() { _ = tracer.Shutdown(b.Context()) })
	metrics := oteltencent.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())))
	spans := oteltencent.WithTracerProvider(tracer)
	for _, row := range []struct {
		name   string
		opts   []oteltencent.Option
		report bool
	}{
		{"without", nil, false},
		{"report", nil, true},
		{"noop", none, false},
		{"metrics", []oteltencent.Option{none[0], metrics}, false},
		{"spans", []oteltencent.Option{spans, none[1]}, false},
		{"both", []oteltencent.Option{spans, metrics}, false},
	} {
		b.Run("via="+row.name, func(b *testing.B) {
			var opts []tencenthttp.Option
			if row.opts != nil {
				opts = append(opts, oteltencent.Instrument(row.opts...))
			}
			rt, err := tencenthttp.NewTransport(instant{}, opts...)
			require.NoError(b, err)
			plain := newRequest(b.Context(), "DescribeInstances")
			b.ReportAllocs()
			for b.Loop() {
				req := plain
				if row.report {
					ctx, _ := tencenthttp.ContextWithReport(plain.Context())
					req = plain.WithContext(ctx)
				}
				req.Body, _ = plain.GetBody()
				resp, err := rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
}

// instant answers at once.
type instant struct{}

func (instant) RoundTrip(req *http.Request) (*http.Response, error) {
	req.Body.Close()
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(`{"Response":{"TotalCount":1,"RequestId":"3c140219-cfe9-470e-b241-907877d6fb03"}}`)), ContentLength: -1,
	}, nil
}
