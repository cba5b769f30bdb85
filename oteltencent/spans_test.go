package oteltencent_test

import (
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/oteltencent"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestInstrument_SpansOfACallAndItsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithLatency(tctest.Fixed(20 * time.Millisecond)))
		api.Script("*", tctest.Fail("RequestLimitExceeded"), tctest.Broken(tctest.CutDial), tctest.Unavailable().After(0))
		w := watch(t, api.RoundTripper(), nil, tencenthttp.WithRateLimit(.1, 1), tencenthttp.WithoutPacing())

		require.NoError(t, call(t.Context(), w, "DescribeInstances"))

		var lines []string
		spans := w.spans.Ended()
		require.Len(t, spans, 5)
		for _, span := range spans {
			lines = append(lines, describe(span)...)
			if span != spans[4] {
				assert.Equal(t, spans[4].SpanContext().SpanID(), span.Parent().SpanID())
			}
		}
		ids := api.Calls()
		wire := "http.request.method=POST "
		address := " server.address=cvm.tencentcloudapi.com tencentcloud."
		assert.Equal(t, []string{
			"client POST 0s Error(RequestLimitExceeded): error.type=RequestLimitExceeded " + wire + "http.response.status_code=200" + address +
				"request_id=" + ids[0].RequestID + " tencentcloud.result=throttled",
			"client POST 0s Error(dial tcp cvm.tencentcloudapi.com:443: connect: connection refused): error.type=connection_refused " + wire +
				"http.request.resend_count=1" + address + "result=fault",
			"client POST 0s Error(HTTP 503): error.type=503 " + wire + "http.request.resend_count=2 http.response.status_code=503" + address + "result=fault",
			"client POST 20ms Unset: " + wire + "http.request.resend_count=3 http.response.status_code=200" + address +
				"request_id=" + ids[len(ids)-1].RequestID,
			"client cvm/DescribeInstances 30.02s Unset: cloud.region=ap-guangzhou rpc.method=DescribeInstances rpc.service=cvm rpc.system=tencentcloud" +
				" tencentcloud.attempts=4 tencentcloud.reason=success tencentcloud.request_id=" + ids[len(ids)-1].RequestID,
			"  at 0s tencentcloud.retry: error.type=RequestLimitExceeded tencentcloud.attempt=1 tencentcloud.delay=1.000",
			"  at 10s tencentcloud.wait: tencentcloud.delay=1.000 tencentcloud.wait=backoff",
			"  at 10s tencentcloud.wait: tencentcloud.delay=9.000 tencentcloud.wait=pacing",
			"  at 10s tencentcloud.retry: error.type=connection_refused tencentcloud.attempt=2 tencentcloud.delay=1.000",
			"  at 20s tencentcloud.wait: tencentcloud.delay=1.000 tencentcloud.wait=backoff",
			"  at 20s tencentcloud.wait: tencentcloud.delay=9.000 tencentcloud.wait=pacing",
			"  at 20s tencentcloud.retry: error.type=503 tencentcloud.attempt=3 tencentcloud.delay=1.000",
			"  at 30s tencentcloud.wait: tencentcloud.delay=1.000 tencentcloud.wait=backoff",
			"  at 30s tencentcloud.wait: tencentcloud.delay=9.000 tencentcloud.wait=pacing",
		}, lines)
	})
}

func TestInstrument_SpanOfARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithScript("*", tctest.Fail("InternalError").Forever()))
		w := watch(t, api.RoundTripper(), nil, tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 1}))
		require.NoError(t, call(t.Context(), w, "DescribeInstances"))
		require.ErrorIs(t, call(t.Context(), w, "DescribeInstances"), tencenthttp.ErrBreakerOpen)
		spans := w.spans.Ended()
		require.Len(t, spans, 3)
		assert.Equal(t, []string{"tencentcloud.breaker", "tencentcloud.refusal"}, []string{spans[1].Events()[0].Name, spans[1].Events()[1].Name})
		assert.Equal(t, "InternalError", attr(spans[1], "error.type"), "the caller got the last answer")
		assert.Equal(t, "breaker open", attr(spans[2], "error.type"))
		assert.Equal(t, "0", attr(spans[2], "tencentcloud.attempts"))
	})
}

// Whichever way otelhttp is put together with ours: one client span for the call, and one for each request.
func TestInstrument_WithOtelhttp(t *testing.T) {
	for _, row := range []struct {
		name            string
		inside, outside bool
		want            []string // by depth: kind and name
	}{
		{"alone", false, false, []string{"client cvm/DescribeInstances", "  client POST", "  client POST"}},
		{"inside", true, false, []string{
			"client cvm/DescribeInstances", "  internal POST", "    client HTTP POST", "  internal POST", "    client HTTP POST",
		}},
		{"outside", false, true, []string{"client HTTP POST", "  internal cvm/DescribeInstances", "    client POST", "    client POST"}},
		{"both", true, true, []string{
			"client HTTP POST", "  internal cvm/DescribeInstances",
			"    internal POST", "      client HTTP POST", "    internal POST", "      client HTTP POST",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := tctest.New(tctest.WithScript("*", tctest.Fail("InternalError")))
				base := &late{RoundTripper: api.RoundTripper()}
				var options []oteltencent.Option
				if row.inside {
					options = append(options, oteltencent.WithSpansBelow())
				}
				w := watch(t, base, options)
				around := func(rt http.RoundTripper) http.RoundTripper {
					return otelhttp.NewTransport(rt, otelhttp.WithTracerProvider(w.tracer), otelhttp.WithMeterProvider(w.meters),
						otelhttp.WithPropagators(propagation.TraceContext{}))
				}
				var rt http.RoundTripper = w
				if row.inside {
					base.RoundTripper = around(base.RoundTripper)
				}
				if row.outside {
					rt = around(rt)
				}

				require.NoError(t, call(t.Context(), rt, "DescribeInstances"))

				assert.Equal(t, row.want, w.tree(t))
				found := series(w.collect(t))
				assert.Equal(t, 1.0, found["calls{ap-guangzhou,DescribeInstances,cvm,success}"])
				assert.Equal(t, 2.0, found["attempt.duration{ap-guangzhou,DescribeInstances,cvm,fault}"]+found["attempt.duration{ap-guangzhou,DescribeInstances,cvm,success}"])
				for _, sent := range api.Calls() {
					assert.Equal(t, row.inside || row.outside, sent.Header.Get("Traceparent") != "")
				}
			})
		})
	}
}

// late is a base that is complete only after the Transport over it was made.
type late struct{ http.RoundTripper }

// tree lists the spans in their order, indented by their depth.
func (w *watched) tree(t *testing.T) []string {
	t.Helper()
	depth := map[oteltrace.SpanID]int{}
	var lines []string
	for _, span := range w.spans.Started() {
		d := 0
		if parent := span.Parent(); parent.IsValid() {
			d = depth[parent.SpanID()] + 1
		}
		depth[span.SpanContext().SpanID()] = d
		assert.False(t, span.EndTime().IsZero(), "it has ended")
		lines = append(lines, strings.Repeat("  ", d)+span.SpanKind().String()+" "+span.Name())
	}
	return lines
}

func TestInstrument_KeepsNoTransportAlive(t *testing.T) {
	api := tctest.New()
	collected := make(chan struct{})
	w := watch(t, api.RoundTripper(), nil)
	require.NoError(t, call(t.Context(), w, "DescribeInstances"))
	runtime.AddCleanup(w.Transport, func(done chan struct{}) { close(done) }, collected)
	assert.Contains(t, series(w.collect(t)), "queue.length{ap-guangzhou,DescribeInstances,cvm}")
	w.Transport = nil
	for gone := false; !gone; {
		runtime.GC()
		select {
		case <-collected:
			gone = true
		default:
			runtime.Gosched()
		}
	}
	assert.NotContains(t, series(w.collect(t)), "queue.length{ap-guangzhou,DescribeInstances,cvm}")
}

func TestInstrument_C41_NoSecretAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range []tctest.Answer{
			tctest.Success(nil), tctest.Fail("InternalError"), tctest.Unavailable(), tctest.Broken(tctest.CutBeforeAnswer), tctest.Broken(tctest.CutDial),
		} {
			api := tctest.New(tctest.WithScript("*", answer.Forever()))
			w := watch(t, api.RoundTripper(), nil, tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 5}), tencenthttp.WithRateLimit(1, 1))
			for range 5 {
				_ = call(t.Context(), w, "DescribeInstances")
				query := newRequest(t.Context(), "")
				query.Header = http.Header{}
				query.Method, query.URL.RawQuery = http.MethodGet, "Action=DescribeInstances&SecretId="+secretID+"&Signature="+signature+"&Token="+token
				query.Body, query.GetBody, query.ContentLength = nil, nil, 0
				if resp, err := w.RoundTrip(query); err == nil {
					resp.Body.Close()
				}
			}
			text := w.dump(t)
			assert.Contains(t, text, "DescribeInstances")
			for _, stats := range w.Stats() {
				assert.Len(t, stats.Target.Account, 16)
				assert.NotContains(t, text, stats.Target.Account)
			}
			for _, secret := range []string{secretID, "AKID", signature, token, password, "Password"} {
				assert.NotContains(t, text, secret)
			}
		}
	})
}

func TestInstrument_ErrorsOfConnectionsAreFewKinds(t *testing.T) {
	for _, row := range []struct {
		err  error
		want string
	}{
		{syscall.ECONNRESET, "connection_lost"},
		{syscall.ECONNREFUSED, "connection_refused"},
		{http.ErrServerClosed, "_OTHER"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := watch(t, failing{row.err}, nil, tencenthttp.WithMaxAttempts(1))
			require.ErrorIs(t, call(t.Context(), w, "DescribeInstances"), row.err)
			assert.Equal(t, row.want, attr(w.spans.Ended()[0], "error.type"))
			assert.Equal(t, row.want, attr(w.spans.Ended()[1], "error.type"))
		})
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }
