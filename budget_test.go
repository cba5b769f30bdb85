package tencenthttp

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBudget_SharesOfTenSeconds(t *testing.T) {
	start := time.Now()
	for _, tt := range []struct {
		name        string
		settings    retryBudget
		calls       []int // in the seconds from start on
		wantRetries int   // in the last of these seconds
	}{
		{"nothing", retryBudget{}, []int{100}, 0},
		{"a share of the calls", retryBudget{ratio: 0.2}, []int{100}, 20},
		{"rounded down", retryBudget{ratio: 0.2}, []int{9}, 1},
		{"the fixed part alone", retryBudget{minPerSecond: 2}, []int{0}, 20},
		{"both", retryBudget{ratio: 0.2, minPerSecond: 1}, []int{50}, 20},
		{"of ten seconds", retryBudget{ratio: 0.1}, []int{10, 10, 10, 10, 10, 10, 10, 10, 10, 10}, 10},
		{"not of eleven", retryBudget{ratio: 0.1}, []int{1000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10}, 1},
		{"not of an earlier round", retryBudget{ratio: 0.1}, append([]int{1000}, make([]int, 24)...), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBudget(tt.settings, start)
			var now time.Time
			for second, calls := range tt.calls {
				now = start.Add(time.Duration(second) * time.Second)
				for range calls {
					b.call(now)
				}
			}
			for i := range tt.wantRetries {
				require.True(t, b.allows(now), "retry %d", i+1)
				require.True(t, b.spend(now), "retry %d", i+1)
			}
			assert.False(t, b.allows(now))
			assert.False(t, b.spend(now))
		})
	}
}

func TestBudget_FillsUpAgain(t *testing.T) {
	start := time.Now()
	b := newBudget(retryBudget{minPerSecond: 0.1}, start)
	require.True(t, b.spend(start))
	assert.False(t, b.spend(start.Add(9*time.Second)))
	assert.True(t, b.spend(start.Add(10*time.Second)))
}

func TestBudget_Off(t *testing.T) {
	b := newBudget(retryBudget{off: true}, time.Now())
	for range 10_000 {
		require.True(t, b.spend(time.Now()))
	}
}

func TestBudget_CallsThatWereHeldUpCountWhenTheyCome(t *testing.T) {
	start := time.Now()
	b := newBudget(retryBudget{ratio: 1}, start)
	now := start.Add(15 * time.Second)
	b.call(now)
	b.call(start.Add(5 * time.Second)) // the same slot, one round ago
	b.call(start.Add(-time.Second))    // before the budget was made
	assert.InDelta(t, 0.2, b.callRate(now), 0.01)
}

func TestBudget_CallRate(t *testing.T) {
	start := time.Now()
	b := newBudget(retryBudget{off: true}, start)
	for range 50 {
		b.call(start)
	}
	assert.InDelta(t, 50, b.callRate(start), 0.01, "of the first second, at least")
	assert.InDelta(t, 10, b.callRate(start.Add(5*time.Second)), 0.01)
	assert.InDelta(t, 5, b.callRate(start.Add(9900*time.Millisecond)), 0.1)
	assert.Zero(t, b.callRate(start.Add(10*time.Second)), "over")
}

// A service that fails every call is sent no more than the budget's share on top.
func TestTransport_BudgetBoundsTheRetriesOfFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(reply(200, apiError("InternalError")))
		rt := newTransport(t, base, WithRetryBudget(0.1, 0.2), WithoutBreaker(), WithoutPacing())
		last := ReasonSuccess
		rt.cfg.hooks = hookList{{Done: func(_ context.Context, info DoneInfo) { last = info.Reason }}}
		for range 100 {
			resp, err := rt.RoundTrip(newRequest(t, "DescribeInstances", `{}`))
			require.NoError(t, err)
			resp.Body.Close()
		}
		assert.Equal(t, ReasonBudgetEmpty, last)
		assert.Equal(t, 100+12, base.attempts(), "100 calls, a tenth of that and 10 times 0.2")
	})
}

func TestTransport_BudgetIsNotSpentOnThrottles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(reply(200, apiError("RequestLimitExceeded")), reply(http.StatusTooManyRequests, `{}`), reply(200, success))
		resp, err := newTransport(t, base, WithRetryBudget(0, 0)).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		assert.Equal(t, success, readAll(t, resp))
		assert.Equal(t, 3, base.attempts())
	})
}

func TestTransport_BudgetIsPerEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(reply(200, apiError("InternalError")))
		rt := newTransport(t, base, WithRetryBudget(0, 0.1), WithoutBreaker())
		for i, region := range []string{"ap-guangzhou", "ap-shanghai", "ap-guangzhou"} {
			before := base.attempts()
			req := newRequest(t, "DescribeInstances", `{}`)
			req.Header.Set("X-TC-Region", region)
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			resp.Body.Close()
			want := 2 // one retry in ten seconds
			if i == 2 {
				want = 1
			}
			assert.Equal(t, want, base.attempts()-before, region)
		}
	})
}
