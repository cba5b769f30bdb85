package redisquota

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp"
)

var target = tencenthttp.Target{
	Service: "cvm", Host: "cvm.tencentcloudapi.com", Region: "ap-guangzhou", Action: "DescribeInstances", Account: "0123456789abcdef",
}

func newQuota(t testing.TB, client redis.UniversalClient, opts ...Option) *Quota {
	t.Helper()
	q, err := New(client, opts...)
	require.NoError(t, err)
	return q
}

// patient is for tests that are not about a Redis that answers late, as any does on a machine that is busy enough.
var patient = WithTimeout(5 * time.Second)

// throttled is what a limiter is told of an attempt that the service refused.
func throttled() tencenthttp.AttemptInfo {
	return tencenthttp.AttemptInfo{
		Target: target, StatusCode: 200, Code: "RequestLimitExceeded",
		Verdict: tencenthttp.Verdict{Class: tencenthttp.ClassRetryable, Throttled: true},
	}
}

func accepted() tencenthttp.AttemptInfo {
	return tencenthttp.AttemptInfo{Target: target, StatusCode: 200, Latency: 30 * time.Millisecond}
}

func TestQuota_LimitIsShared(t *testing.T) {
	server := startRedis(t)
	const perSecond, burst = 50, 5
	var mu sync.Mutex
	var turns []time.Time
	begin := time.Now()
	var wg sync.WaitGroup
	for range 3 {
		q := newQuota(t, server.client(t), WithLimit(perSecond, burst), patient)
		for range 25 {
			wg.Go(func() {
				assert.NoError(t, q.Limiter(target).Wait(t.Context()))
				mu.Lock()
				defer mu.Unlock()
				turns = append(turns, time.Now())
			})
		}
	}
	wg.Wait()
	slices.SortFunc(turns, time.Time.Compare)
	for i, at := range turns {
		earliest := time.Duration(float64(i+1-burst) / perSecond * float64(time.Second))
		assert.GreaterOrEqual(t, at.Sub(begin), earliest-5*time.Millisecond, "turn %d", i+1)
	}
	assert.Less(t, turns[len(turns)-1].Sub(begin), 3*time.Second, "70 turns at 50 a second")
}

func TestLimiter_UnlimitedUntilTheServiceThrottles(t *testing.T) {
	server := startRedis(t)
	client := server.client(t)
	q := newQuota(t, client, patient)
	l := q.Limiter(target)
	for range 200 {
		require.NoError(t, l.Wait(t.Context()))
		l.(tencenthttp.Observer).Observe(t.Context(), accepted())
	}
	assert.Zero(t, client.DBSize(t.Context()).Val(), "what is not limited leaves nothing in Redis")

	begin := time.Now()
	l.(tencenthttp.Observer).Observe(t.Context(), throttled())
	require.NoError(t, l.Wait(t.Context()))
	assert.Greater(t, time.Since(begin), 300*time.Millisecond, "what is under way settles first")

	other := newQuota(t, server.client(t), patient).Limiter(target).(*limiter)
	require.NoError(t, other.Wait(t.Context()))
	other.mu.Lock()
	defer other.mu.Unlock()
	assert.Equal(t, searching, other.fleet.phase, "a new process starts from what the fleet knows")
	assert.InDelta(t, 140, other.fleet.rate, 70, "0.7 of the 200 that were accepted, and what it has grown")
}

// What Redis has lost the processes remember.
func TestLimiter_TheLearnedRateOutlivesAFlush(t *testing.T) {
	server := startRedis(t)
	client := server.client(t)
	l := newQuota(t, client, patient).Limiter(target).(*limiter)
	for range 100 {
		require.NoError(t, l.Wait(t.Context()))
		l.Observe(t.Context(), accepted())
	}
	l.Observe(t.Context(), throttled())
	require.NoError(t, l.Wait(t.Context()))
	known := func() (phase, float64) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.fleet.phase, l.fleet.rate
	}
	_, rate := known()
	require.Positive(t, rate)
	require.NoError(t, client.FlushAll(t.Context()).Err())
	require.Eventually(t, func() bool {
		assert.NoError(t, l.Wait(t.Context()))
		p, _ := known()
		return p == feeling
	}, 5*time.Second, 10*time.Millisecond)
	_, after := known()
	assert.InDelta(t, rate, after, rate, "and what it has grown")
	fresh := newQuota(t, server.client(t), patient).Limiter(target).(*limiter)
	require.NoError(t, fresh.Wait(t.Context()))
	fresh.mu.Lock()
	defer fresh.mu.Unlock()
	assert.Equal(t, feeling, fresh.fleet.phase)
}

func TestLimiter_CallersPassInTheOrderOfTheirStart(t *testing.T) {
	server := startRedis(t)
	l := newQuota(t, server.client(t), WithLimit(100, 1), patient).Limiter(target).(*limiter)
	require.NoError(t, l.Wait(t.Context()))
	start := time.Now()
	var wg sync.WaitGroup
	l.mu.Lock() // until all have come, the first one last
	for i := range 20 {
		w := &waiter{start: start.Add(-time.Duration(i) * time.Second), turn: make(chan error, 1)}
		l.line.join(w)
		wg.Go(func() {
			assert.NoError(t, <-w.turn)
			l.mu.Lock()
			defer l.mu.Unlock()
			for _, other := range l.line.waiters {
				assert.False(t, other.start.Before(w.start), "one that began earlier waits still")
			}
		})
	}
	l.dispatch(time.Now())
	l.mu.Unlock()
	wg.Wait()
}

func TestLimiter_RefusesWhatWouldComeTooLate(t *testing.T) {
	server := startRedis(t)
	l := newQuota(t, server.client(t), WithLimit(1, 1), patient).Limiter(target)
	require.NoError(t, l.Wait(t.Context()))
	ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer stop()
	begin := time.Now()
	err := l.Wait(ctx)
	assert.Less(t, time.Since(begin), 300*time.Millisecond, "at once, not at the deadline")
	refused, ok := errors.AsType[*waitError](err)
	require.True(t, ok, "%v", err)
	assert.InDelta(t, time.Second, refused.RetryAfter(), float64(300*time.Millisecond))

	strict := newQuota(t, server.client(t), WithLimit(1, 1), WithMaxWait(100*time.Millisecond), patient).Limiter(target)
	_, ok = errors.AsType[*waitError](strict.Wait(t.Context()))
	assert.True(t, ok)
}

func TestLimiter_ACanceledCallSpendsNothing(t *testing.T) {
	server := startRedis(t)
	l := newQuota(t, server.client(t), WithLimit(2, 1), patient).Limiter(target)
	require.NoError(t, l.Wait(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	begin := time.Now()
	require.ErrorIs(t, l.Wait(ctx), context.Canceled)
	require.NoError(t, l.Wait(t.Context()))
	assert.Less(t, time.Since(begin), 900*time.Millisecond, "the next one has its place")
}

// Through a Transport the refusal is ErrRateLimited, and says how long the wait would have been.
func TestQuota_InATransport(t *testing.T) {
	server := startRedis(t)
	api := service()
	defer api.Close()
	quota := newQuota(t, server.client(t), WithActionLimit("cvm:DescribeInstances", 1, 1), patient)
	rt, err := tencenthttp.NewTransport(api.Transport(), tencenthttp.WithLimiter(quota.Limiter))
	require.NoError(t, err)
	req, err := newRequest(t.Context(), "DescribeInstances")
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	resp.Body.Close()
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	_, err = rt.RoundTrip(req.WithContext(ctx))
	require.ErrorIs(t, err, tencenthttp.ErrRateLimited)
	call, _ := errors.AsType[*tencenthttp.CallError](err)
	assert.InDelta(t, time.Second, call.RetryAfter, float64(300*time.Millisecond))
	assert.Equal(t, 1, api.Count())
}

func TestQuota_LeavesNoGoroutine(t *testing.T) {
	server := startRedis(t)
	client := server.client(t)
	require.NoError(t, client.Ping(t.Context()).Err())
	before := runtime.NumGoroutine()
	q := newQuota(t, client, WithLimit(200, 10))
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { assert.NoError(t, q.Limiter(target).Wait(t.Context())) })
	}
	wg.Wait()
	// Eventually looks from a goroutine of its own.
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 5*time.Second, 10*time.Millisecond)
}

func TestQuota_OneLimiterForATarget(t *testing.T) {
	q := newQuota(t, redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}))
	func() {
		l := q.Limiter(target)
		assert.Same(t, l, q.Limiter(target))
		other := target
		other.Region = "ap-shanghai"
		assert.NotSame(t, l, q.Limiter(other))
		runtime.KeepAlive(l)
	}()
	assert.Eventually(t, func() bool {
		runtime.GC()
		q.mu.Lock()
		defer q.mu.Unlock()
		return len(q.limiters) == 0
	}, 5*time.Second, 10*time.Millisecond, "what no Transport remembers is forgotten")
}
