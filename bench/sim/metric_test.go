package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuantile(t *testing.T) {
	of := func(n int) (sorted []time.Duration) {
		for i := range n {
			sorted = append(sorted, time.Duration(i+1)*time.Second)
		}
		return sorted
	}
	assert.True(t, math.IsNaN(quantile(nil, .5)))
	assert.InDelta(t, 1, quantile(of(1), .99), 0)
	assert.InDelta(t, 50, quantile(of(100), .5), 0)
	assert.InDelta(t, 99, quantile(of(100), .99), 0)
	assert.InDelta(t, 2, quantile(of(3), .5), 0)
}

func TestMedian(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{3, 1, 2}, 2},
		{[]float64{1, 4, 2, 3}, 2.5},
		{[]float64{1, nan, 3}, 2},
		{[]float64{1, inf, 3}, 3},
		{[]float64{1, inf}, inf},
		{[]float64{inf, inf}, inf},
		{[]float64{nan}, nan},
		{nil, nan},
	} {
		var results []*Result
		for i := range tt.values {
			results = append(results, &Result{OK: i})
		}
		m := Metric{Of: func(r *Result) float64 { return tt.values[r.OK] }}
		got := m.Median(results)
		assert.True(t, got == tt.want || math.IsNaN(got) && math.IsNaN(tt.want), "%v: %v", tt.values, got)
	}
}

func TestMetrics(t *testing.T) {
	r := &Result{
		OK: 90, Failed: 10, Sent: 200, Throttled: 60, SentLater: 100, ThrottledLater: 25,
		Makespan: 11 * time.Second, Closed: true, Limit: Limit{OK: 100, Makespan: 10 * time.Second},
		Shares:      []Share{{Least: .8}, {Least: math.NaN()}, {Least: .4}},
		Disturbance: &Disturbance{PerCall: .25, Used: .9, FirstOK: time.Second, Recovery: never},
	}
	got := map[string]float64{}
	for _, m := range Metrics() {
		require.NotContains(t, got, m.Name)
		got[m.Name] = m.Of(r)
	}
	for name, want := range map[string]float64{
		"ok": 90, "failed": 10, "sent": 200, "throttled": 60, "wasted_after_3s": .25, "makespan_s": 11, "makespan_of_limit": 1.1,
		"disturbed_requests_per_call": .25, "disturbed_capacity_used": .9, "first_ok_s": 1, "recovery_s": math.Inf(1), "least_share_60s": .4,
	} {
		assert.InDelta(t, want, got[name], 1e-9, name)
	}
	assert.True(t, math.IsNaN(got["ok_of_limit"]), "there is no such thing in a closed load, which goes on until all have succeeded")
	r.Closed = false
	assert.InDelta(t, .9, okOfLimit(r), 1e-9)
	assert.True(t, math.IsNaN(makespan(r)))
}

func TestRecovery(t *testing.T) {
	every := func(interval time.Duration, from, until time.Duration) (at []time.Duration) {
		for t := from; t < until; t += interval {
			at = append(at, t)
		}
		return at
	}
	const s, ms = time.Second, time.Millisecond
	for _, tt := range []struct {
		name      string
		successes []time.Duration
		rate      float64
		want      time.Duration
	}{
		{"at once", every(50*ms, 10*ms, 3*s), 20, 0},
		{"later", every(50*ms, 2*s, 5*s), 20, 1950 * ms},
		{"slowly at first", append(every(100*ms, 0, 2*s), every(50*ms, 2*s, 5*s)...), 20, 1800 * ms},
		{"half", every(100*ms, 0, 9*s), 20, never},
		{"90 % will do", every(55*ms, 0, 5*s), 20, 0},
		{"rare calls, so ten of them count", every(s, 0, 15*s), 1, 0},
		{"ends too early", every(50*ms, 0, 500*ms), 20, never},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := recovery(tt.successes, tt.rate)
			if tt.want <= 0 {
				assert.Equal(t, tt.want, got)
				return
			}
			assert.InDelta(t, tt.want.Seconds(), got.Seconds(), .2)
		})
	}
}

func TestShares(t *testing.T) {
	scenario := &Scenario{Processes: 2, Quota: Quota{Rate: 4, Burst: 4}} // 2 a second are fair
	j := new(journal)
	for second := range 120 {
		at := time.Duration(second)*time.Second + time.Millisecond
		for n := range 4 { // the first gets 3 a second in the first minute, then 1; the other what is left
			process := 1
			if n < 3 && second < 60 || n < 1 {
				process = 0
			}
			j.calls = append(j.calls, call{process: process, end: at})
		}
	}
	j.calls = append(j.calls, call{process: 1, end: 120 * time.Second, err: errors.New("no")})
	shares := newShares(scenario, j)
	assert.Equal(t, Share{OK: 240, Done: 119*time.Second + time.Millisecond, Least: (3 + 59*1) / 120., Most: 1.5}, shares[0])
	assert.Equal(t, Share{OK: 240, Failed: 1, Done: 120 * time.Second, Least: .5, Most: 1.5}, shares[1])
	short := newShares(scenario, &journal{calls: j.calls[:100]})
	assert.True(t, math.IsNaN(short[0].Least))
}

func TestCause(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&Failure{Status: 200, Code: "InternalError"}, "InternalError"},
		{fmt.Errorf("wrapped: %w", &Failure{Status: 503}), "HTTP 503"},
		{Explain(&Failure{Status: 503}, "attempts used up"), "attempts used up"},
		{fmt.Errorf("wrapped: %w", context.DeadlineExceeded), "deadline"},
		{http.ErrHandlerTimeout, "http: Handler timeout"},
		{errors.Join(errors.New("first"), errors.New("second")), "first"},
	} {
		assert.Equal(t, tt.want, cause(tt.err))
	}
	assert.ErrorIs(t, Explain(http.ErrBodyNotAllowed, "x"), http.ErrBodyNotAllowed)
}

func TestJudge(t *testing.T) {
	require.NoError(t, Judge(200, []byte(`{"Response":{"RequestId":"1"}}`)))
	assert.Equal(t, &Failure{Status: 200, Code: "X"}, Judge(200, []byte(`{"Response":{"Error":{"Code":"X"}}}`)))
	assert.Equal(t, &Failure{Status: 503}, Judge(503, []byte("<html>")))
	assert.Error(t, Judge(200, []byte("<html>")))
}
