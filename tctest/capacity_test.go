package tctest_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// arrivals sends n calls at the same time and returns after how long each answer came, in the order of arrival.
func arrivals(t *testing.T, api *tctest.API, n int) func() ([]time.Duration, []string) {
	var wg sync.WaitGroup
	took, codes := make([]time.Duration, n), make([]string, n)
	for i := range n {
		wg.Go(func() {
			begun := time.Now()
			codes[i] = call(t, api.RoundTripper(), "X")
			took[i] = time.Since(begun)
		})
		synctest.Wait() // keeps the order
	}
	return func() ([]time.Duration, []string) { wg.Wait(); return took, codes }
}

func TestCapacity_FirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithCapacity(tctest.Capacity{Rate: 10}), tctest.WithLatency(tctest.Fixed(30*time.Millisecond)))
		took, _ := arrivals(t, api, 4)()
		ms := time.Millisecond
		assert.Equal(t, []time.Duration{30 * ms, 130 * ms, 230 * ms, 330 * ms}, took)
		time.Sleep(time.Second)
		took, _ = arrivals(t, api, 2)()
		assert.Equal(t, []time.Duration{30 * ms, 130 * ms}, took, "an idle service does not work ahead")
	})
}

func TestCapacity_ShedsBehindALongQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithCapacity(tctest.Capacity{Rate: 2, MaxQueue: time.Second}), tctest.WithThrottledLatency(tctest.Fixed(2*time.Millisecond)))
		took, codes := arrivals(t, api, 5)()
		assert.Equal(t, []string{"", "", "", "InternalError", "InternalError"}, codes)
		assert.Equal(t, []time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Millisecond, 2 * time.Millisecond}, took)
	})
}

func TestCapacity_WaitersFollowEveryChange(t *testing.T) {
	for _, scheduled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			api := tctest.New(tctest.WithCapacity(tctest.Capacity{Rate: 1}))
			slow, fast, all := tctest.Capacity{Rate: 0.5}, tctest.Capacity{Rate: 10}, tctest.Capacity{}
			if scheduled {
				api.At(2500*time.Millisecond, func() { api.SetCapacity(fast) })
				api.At(1500*time.Millisecond, func() { api.SetCapacity(slow) })
				api.At(2650*time.Millisecond, func() { api.SetCapacity(all) })
			}
			wait := arrivals(t, api, 6)
			if !scheduled {
				time.Sleep(1500 * time.Millisecond)
				api.SetCapacity(slow)
				time.Sleep(1000 * time.Millisecond)
				api.SetCapacity(fast)
				time.Sleep(150 * time.Millisecond)
				api.SetCapacity(all)
			}
			took, _ := wait()
			// 1.5 calls by 1.5 s, 2.0 by 2.5 s, 3 by 2.6 s, the rest at 2.65 s.
			want := []float64{0, 1, 2.5, 2.6, 2.65, 2.65}
			for i := range want {
				assert.InDelta(t, want[i], took[i].Seconds(), 1e-6, i)
			}
		})
	}
}

// A call whose caller has gone keeps its place in the queue; those behind it are not served sooner.
func TestCapacity_AbandonedCallKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithCapacity(tctest.Capacity{Rate: 1}))
		call(t, api.RoundTripper(), "X")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := api.RoundTripper().RoundTrip(newCall(t, "X", "{}").WithContext(ctx))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		begun := time.Now()
		call(t, api.RoundTripper(), "X")
		assert.InDelta(t, 1.9, time.Since(begun).Seconds(), 1e-6)
		assert.Len(t, api.Calls(tctest.ByOutcome(tctest.Abandoned)), 1)
	})
}

func TestCapacity_PanicsOnNonsense(t *testing.T) {
	for _, c := range []tctest.Capacity{{Rate: -1}, {Rate: math.NaN()}, {Rate: math.Inf(1)}, {Rate: 1, MaxQueue: -1}} {
		assert.Panics(t, func() { tctest.New(tctest.WithCapacity(c)) })
	}
}
