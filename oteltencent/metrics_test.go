package oteltencent_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/oteltencent"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestInstrument_Metrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithScript("*", tctest.Fail("RequestLimitExceeded"), tctest.Fail("InternalError"), tctest.Success(nil), tctest.Fail("InvalidParameter")))
		w := watch(t, api.RoundTripper(), nil, tencenthttp.WithRateLimit(.5, 1), tencenthttp.WithMaxWait(3*time.Second), tencenthttp.WithoutPacing())
		require.NoError(t, call(t.Context(), w, "DescribeInstances"))
		require.NoError(t, call(t.Context(), w, "DescribeInstances"))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _ = call(t.Context(), w, "DescribeInstances") })
		}
		synctest.Wait()
		of := func(more string) string { return "{ap-guangzhou,DescribeInstances,cvm" + more + "}" }
		at := "{ap-guangzhou,cvm.tencentcloudapi.com"
		want := map[string]float64{
			"calls" + of(",success"): 1, "calls" + of(",fatal"): 1, "calls" + of(",rate limited"): 2,
			"attempts" + of(",throttled"): 1, "attempts" + of(",fault"): 1, "attempts" + of(",success"): 1, "attempts" + of(",failure"): 1,
			"retries{ap-guangzhou,RequestLimitExceeded,DescribeInstances,cvm}": 1, "retries{ap-guangzhou,InternalError,DescribeInstances,cvm}": 1,
			"refusals" + of(",rate limited"): 2,
			"wait.time" + of(",pacing"):      1 + 1 + 2, "wait.time" + of(",backoff"): 2,
			"call.duration" + of(",success"): 1, "call.duration" + of(",failure"): 3,
			"attempt.duration" + of(",throttled"): 1, "attempt.duration" + of(",fault"): 1, "attempt.duration" + of(",success"): 1, "attempt.duration" + of(",failure"): 1,
			"queue.length" + of(""): 1, "rate.limit" + of(""): .5, "breaker.state" + at + "}": 0,
		}
		assert.Equal(t, want, series(w.collect(t)))
		wg.Wait()
	})
}

func TestInstrument_MetricsOfABreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithScript("*", tctest.Fail("InternalError")))
		w := watch(t, api.RoundTripper(), nil, tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 1}))
		_ = call(t.Context(), w, "DescribeInstances")
		at := "{ap-guangzhou,cvm.tencentcloudapi.com"
		found := series(w.collect(t))
		assert.Equal(t, 2.0, found["breaker.state"+at+"}"])
		assert.Equal(t, 1.0, found["refusals{ap-guangzhou,DescribeInstances,cvm,breaker open}"])
		time.Sleep(6 * time.Second)
		require.NoError(t, call(t.Context(), w, "DescribeInstances"))
		found = series(w.collect(t))
		assert.Equal(t, 0.0, found["breaker.state"+at+"}"])
		for _, state := range []string{",open}", ",half-open}", ",closed}"} {
			assert.Equal(t, 1.0, found["breaker.changes{ap-guangzhou,cvm.tencentcloudapi.com"+state], state)
		}
	})
}

func TestInstrument_DurationsHaveExemplars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, tctest.New().RoundTripper(), nil)
		require.NoError(t, call(t.Context(), w, "DescribeInstances"))
		spans := w.spans.Ended()
		want := map[string]any{
			"tencentcloud.client.attempt.duration": spans[0].SpanContext().SpanID(),
			"tencentcloud.client.call.duration":    spans[1].SpanContext().SpanID(),
		}
		for _, m := range w.collect(t).ScopeMetrics[0].Metrics {
			if span, ok := want[m.Name]; ok {
				exemplars := m.Data.(metricdata.Histogram[float64]).DataPoints[0].Exemplars
				require.Len(t, exemplars, 1)
				assert.Equal(t, fmt.Sprint(span), fmt.Sprintf("%x", exemplars[0].SpanID))
				delete(want, m.Name)
			}
		}
		assert.Empty(t, want)
	})
}

// However many targets and codes there are, each instrument has no more series than documented.
func TestInstrument_SeriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const targets, codes = 10_000, 3_000
		api := tctest.New(tctest.WithRecord(0, 0))
		failures := 0
		for i := range 10 {
			api.Handle(fmt.Sprintf("Fail%d", i), func(*tctest.Request) (any, error) {
				failures++
				return nil, &tctest.Error{Code: fmt.Sprintf("InternalError.%d", failures)}
			})
		}
		w := watch(t, api.RoundTripper(), nil, tencenthttp.WithMaxAttempts(2), tencenthttp.WithoutRetryBudget(), tencenthttp.WithoutBreaker())
		for i := range targets {
			require.NoError(t, call(t.Context(), w, fmt.Sprintf("Describe%d", i)))
			w.spans.Reset()
		}
		for i := range codes {
			require.NoError(t, call(t.Context(), w, fmt.Sprintf("Fail%d", i%10)))
			w.spans.Reset()
		}
		limits := map[string]int{ // of 100 targets and _OTHER
			"calls": 101 * 14, "attempts": 101 * 4, "refusals": 101 * 5, "retries": 1000 + 101, "wait.time": 101 * 3,
			"call.duration": 101 * 2, "attempt.duration": 101 * 4, "queue.length": 101, "rate.limit": 101,
			"breaker.state": 101, "breaker.changes": 101 * 3, "rate.changes": 101 * 5,
		}
		counts := map[string]int{}
		found := series(w.collect(t))
		for name := range found {
			base, _, _ := strings.Cut(name, "{")
			counts[base]++
		}
		for name, n := range counts {
			assert.LessOrEqual(t, n, limits[name], name)
		}
		assert.Equal(t, 102, counts["calls"], "100 of their own, and the others together, two reasons")
		assert.Equal(t, 1001, counts["retries"], "codes too")
		assert.Equal(t, float64(targets-100), found["calls{_OTHER,_OTHER,_OTHER,success}"])
	})
}

func TestInstrument_TargetsWithTheSameNameAreAddedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, tctest.New().RoundTripper(), []oteltencent.Option{oteltencent.WithMaxTargets(1)}, tencenthttp.WithRateLimit(rate.Limit(3), 1))
		for _, action := range []string{"DescribeInstances", "DescribeZones", "DescribeRegions"} {
			require.NoError(t, call(t.Context(), w, action))
		}
		found := series(w.collect(t))
		assert.Equal(t, 3.0, found["rate.limit{ap-guangzhou,DescribeInstances,cvm}"])
		assert.Equal(t, 6.0, found["rate.limit{_OTHER,_OTHER,_OTHER}"])
	})
}
