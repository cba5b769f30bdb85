package sdktest

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// tracing is otelhttp with a memory.
type tracing struct {
	recorder *tracetest.SpanRecorder
	provider *trace.TracerProvider
}

func newTracing() tracing {
	recorder := tracetest.NewSpanRecorder()
	return tracing{recorder, trace.NewTracerProvider(trace.WithSpanProcessor(recorder))}
}

func (tr tracing) around(base http.RoundTripper) http.RoundTripper {
	return otelhttp.NewTransport(base, otelhttp.WithTracerProvider(tr.provider), otelhttp.WithPropagators(propagation.TraceContext{}))
}

// otelOrders are the ways to put otelhttp and ours together.
var otelOrders = []struct {
	name                string
	stack               func(*testing.T, tracing, http.RoundTripper) (http.RoundTripper, *tencenthttp.Transport)
	spansOfThreeAttempt int
}{
	{"outside", func(t *testing.T, tr tracing, base http.RoundTripper) (http.RoundTripper, *tencenthttp.Transport) {
		rt := newTransport(t, base)
		return tr.around(rt), rt
	}, 1},
	{"inside", func(t *testing.T, tr tracing, base http.RoundTripper) (http.RoundTripper, *tencenthttp.Transport) {
		rt := newTransport(t, tr.around(base))
		return rt, rt
	}, 3},
	{"both", func(t *testing.T, tr tracing, base http.RoundTripper) (http.RoundTripper, *tencenthttp.Transport) {
		rt := newTransport(t, tr.around(base))
		return tr.around(rt), rt
	}, 4},
}

func TestOtelhttp_SpansPerCallOrPerAttempt(t *testing.T) {
	for _, order := range otelOrders {
		t.Run(order.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError").Times(2)))
				tr := newTracing()
				rt, ours := order.stack(t, tr, api.RoundTripper())

				require.NoError(t, runInstances(newCVM(t, rt), ""))

				calls := api.Calls()
				require.Len(t, calls, 3)
				for _, call := range calls {
					assert.Equal(t, calls[0].Body, call.Body)
					assert.NotEmpty(t, call.Header.Get("Traceparent"))
				}
				spans := tr.recorder.Ended()
				require.Len(t, spans, order.spansOfThreeAttempt)
				if order.name == "both" {
					call := spans[len(spans)-1]
					for _, attempt := range spans[:3] {
						assert.Equal(t, call.SpanContext().SpanID(), attempt.Parent().SpanID())
					}
				}
				assert.Equal(t, "RunInstances", ours.Stats()[0].Target.Action)
			})
		})
	}
}

func TestOtelhttp_ConnectionLost(t *testing.T) {
	for _, order := range otelOrders {
		for _, row := range []struct {
			name      string
			cut       tctest.Cut
			token     string
			wantCalls int
		}{
			{"write", tctest.CutBeforeAnswer, "", 1},
			{"write with ClientToken", tctest.CutBeforeAnswer, "token-1", 2},
			{"write, refused", tctest.CutDial, "", 2},
		} {
			for _, base := range bases {
				t.Run(order.name+"/"+row.name+"/"+base.name, func(t *testing.T) {
					api, wire := base.dial(t, tctest.WithScript("*", tctest.Broken(row.cut)))
					tr := newTracing()
					rt, _ := order.stack(t, tr, wire)

					err := runInstances(newCVM(t, rt), row.token)

					assert.Equal(t, row.wantCalls > 1, err == nil, "%v", err)
					calls := api.Calls()
					require.Len(t, calls, row.wantCalls)
					if row.cut != tctest.CutDial { // else nothing arrived at first
						assert.Equal(t, string(calls[0].Body), string(calls[len(calls)-1].Body))
					}
					assert.Len(t, tr.recorder.Ended(), len(tr.recorder.Started()), "every span ends")
				})
			}
		}
	}
}

func TestOtelhttp_SpansEndWithTheBody(t *testing.T) {
	for _, order := range otelOrders {
		t.Run(order.name, func(t *testing.T) {
			server := newServer(t, tctest.WithScript("*", tctest.Unavailable().Times(2), bigAnswer(100<<10)))
			tr := newTracing()
			rt, _ := order.stack(t, tr, server.Transport())

			require.NoError(t, describeInstances(newCVM(t, rt)))

			assert.Len(t, tr.recorder.Ended(), order.spansOfThreeAttempt)
		})
	}
}

func TestOtelhttp_RefusalPassesThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithOutage(tctest.Outage{Refuse: 1}))
		tr := newTracing()
		rt := newTransport(t, api.RoundTripper(), tencenthttp.WithBreaker(hasty))
		client := newCVM(t, tr.around(rt))
		require.Error(t, describeInstances(client))

		assert.ErrorIs(t, describeInstances(client), tencenthttp.ErrBreakerOpen)
		assert.Equal(t, 4, api.Count())
		assert.Len(t, tr.recorder.Ended(), 2)
	})
}
