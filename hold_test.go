package tencenthttp

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// outage is a base that is down until it is told otherwise, and keeps what arrived since.
type outage struct {
	latency time.Duration

	mu      sync.Mutex
	up      bool
	arrived []arrival
	flying  int
	most    int // that were under way at once
}

type arrival struct {
	after time.Duration // since the call's own beginning of the test
	body  string
}

func (o *outage) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	req.Body.Close()
	o.mu.Lock()
	o.arrived = append(o.arrived, arrival{time.Duration(time.Now().UnixNano()), string(body)})
	o.flying++
	o.most = max(o.most, o.flying)
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		o.flying--
		o.mu.Unlock()
	}()
	answered := func(req *http.Request) (*http.Response, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.up {
			return reply(200, success)(req)
		}
		return reply(200, apiError("InternalError"))(req)
	}
	return after(o.latency, answered)(req)
}

func (o *outage) is(up bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.up = up
	o.arrived, o.most = nil, 0
}

// caller makes calls over a Transport whose breaker opens with the first fault, and keeps what became of them.
type caller struct {
	t  *testing.T
	rt *Transport
	wg sync.WaitGroup

	mu      sync.Mutex
	results []result
}

type result struct {
	nth   int
	err   error
	body  string
	began time.Time
	took  time.Duration
}

func newCaller(t *testing.T, base http.RoundTripper, settings BreakerSettings, opts ...Option) *caller {
	settings.MinCalls = 1
	return &caller{t: t, rt: newTransport(t, base, append([]Option{WithMaxAttempts(1), WithMaxElapsedTime(0), WithBreaker(settings)}, opts...)...)}
}

// call makes a call whose body is its number.
func (c *caller) call(nth int) result {
	return c.do(nth, newRequest(c.t, "RunInstances", strconv.Itoa(nth)))
}

func (c *caller) do(nth int, req *http.Request) result {
	r := result{nth: nth, began: time.Now()}
	resp, err := c.rt.RoundTrip(req)
	if r.err = err; err == nil {
		r.body = readAll(c.t, resp)
	}
	r.took = time.Since(r.began)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.results = append(c.results, r)
	return r
}

// start begins calls, each a microsecond after the last.
func (c *caller) start(first, n int) {
	for i := range n {
		c.wg.Go(func() { c.call(first + i) })
		time.Sleep(time.Microsecond)
	}
}

func isReason(t *testing.T, err error, want Reason) *CallError {
	t.Helper()
	failure, ok := errors.AsType[*CallError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, want, failure.Reason)
	return failure
}

func TestHold_ComesBackInOrderAndPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &outage{latency: 50 * time.Millisecond}
		c := newCaller(t, base, BreakerSettings{HoldFor: time.Minute})
		c.call(0) // opens the breaker
		base.is(true)
		open := time.Now()
		c.start(0, 300)
		c.wg.Wait()

		require.Len(t, base.arrived, 300)
		epoch := base.arrived[0].after
		assert.InDelta(t, 5*time.Second, epoch-time.Duration(open.UnixNano()), 10, "the probe, as soon as the breaker lets it")
		perSecond := map[int]int{}
		for i, a := range base.arrived {
			assert.Equal(t, strconv.Itoa(i), a.body, "in order")
			if i > 0 {
				perSecond[int((a.after-epoch-base.latency)/time.Second)]++
			}
		}
		// From the probe's success on, 10 a second and twice as many with every second: 10/ln 2 in the first.
		assert.InDelta(t, 14.4, perSecond[0], 1.5)
		assert.InDelta(t, 28.9, perSecond[1], 1.5)
		assert.InDelta(t, 57.7, perSecond[2], 1.5)
		assert.InDelta(t, 115.4, perSecond[3], 1.5)
		for _, r := range c.results[1:] {
			assert.Equal(t, success, r.body)
		}
		assertAtRest(t, c.rt)
	})
}

func TestHold_ThePaceBeginsAtHalfOfTheRateBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &outage{}
		base.is(true)
		c := newCaller(t, base, BreakerSettings{HoldFor: time.Minute, FailureRatio: 0.0001}, WithMaxAttempts(1))
		for range 1000 { // 100 a second
			c.call(0)
			time.Sleep(10 * time.Millisecond)
		}
		base.is(false)
		c.call(0)
		base.is(true)
		c.start(0, 74)
		c.wg.Wait()
		last := base.arrived[73].after - base.arrived[0].after
		assert.InDelta(t, time.Second, last, float64(100*time.Millisecond), "50 a second, and twice as many at its end")
	})
}

// Those whose HoldFor ends while the others come back must not all pass at once: they would be the herd.
func TestHold_NoHerdWhenTheirTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &outage{}
		c := newCaller(t, base, BreakerSettings{HoldFor: 6 * time.Second})
		c.call(0)
		base.is(true)
		c.start(0, 300)
		c.wg.Wait()
		require.Len(t, base.arrived, 300)
		for i, a := range base.arrived {
			assert.Equal(t, strconv.Itoa(i), a.body, "in order")
		}
		for i, a := range base.arrived[:280] {
			assert.Greater(t, base.arrived[i+20].after-a.after, 80*time.Millisecond, "at 250 a second at most")
		}
		for _, r := range c.results[1:] {
			assert.Equal(t, success, r.body)
		}
		assertAtRest(t, c.rt)
	})
}

func TestHold_TheWayBackEndsWithTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &outage{}
		c := newCaller(t, base, BreakerSettings{HoldFor: 6 * time.Second}, WithMaxElapsedTime(7*time.Second))
		c.call(0)
		base.is(true)
		c.start(0, 100)
		c.wg.Wait()
		late := 0
		for _, r := range c.results[1:] {
			if r.err != nil {
				late++
				isReason(t, r.err, ReasonRateLimited)
				require.ErrorIs(t, r.err, ErrRateLimited)
				assert.InDelta(t, 7*time.Second, r.took, 10)
			}
		}
		assert.InDelta(t, 100-30/math.Ln2, late, 3, "43 came back within two seconds")
		assert.Len(t, base.arrived, 100-late)
		assertAtRest(t, c.rt)
	})
}

func TestHold_LaterCallsStandBehindThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &outage{}
		c := newCaller(t, base, BreakerSettings{HoldFor: time.Minute})
		c.call(0)
		base.is(true)
		c.start(0, 20)
		time.Sleep(5500 * time.Millisecond) // half of them are through
		c.start(20, 20)
		c.wg.Wait()
		for i, a := range base.arrived {
			assert.Equal(t, strconv.Itoa(i), a.body)
		}
		assert.Len(t, base.arrived, 40)
	})
}

func TestHold_RefusedAtOnceWhenHopeless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &outage{}
		c := newCaller(t, base, BreakerSettings{HoldFor: 3 * time.Second})
		c.call(0)
		base.is(true)
		r := c.call(1)
		require.ErrorIs(t, r.err, ErrBreakerOpen)
		assert.InDelta(t, 5*time.Second, isReason(t, r.err, ReasonBreakerOpen).RetryAfter, 10)
		assert.Zero(t, r.took)

		time.Sleep(2*time.Second + 1)
		assert.Equal(t, success, c.call(2).body, "3 s are enough now")

		base.is(false)
		c.call(3)
		time.Sleep(3 * time.Second)
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		r = c.do(4, newRequest(t, "RunInstances", "4").WithContext(ctx))
		isReason(t, r.err, ReasonBreakerOpen)
		assert.Zero(t, r.took, "its deadline comes first")
	})
}

func TestHold_CountsOncePerCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &outage{}
		var done DoneInfo
		c := newCaller(t, base, BreakerSettings{HoldFor: 7 * time.Second}, WithMaxAttempts(4), WithoutRetryBudget(), withDone(&done))
		r := c.call(0) // fails, waits 5 s, fails as the probe; then 2 s are left, and 5 s needed
		require.NoError(t, r.err)
		assert.Equal(t, apiError("InternalError"), r.body)
		assert.Len(t, base.arrived, 2)
		assert.Equal(t, ReasonBreakerOpen, done.Reason)
		assert.InDelta(t, 5*time.Second, r.took, 10)
	})
}

func TestHold_TheNextProbeFollowsAFailedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &outage{latency: 100 * time.Millisecond}
		c := newCaller(t, base, BreakerSettings{HoldFor: 12 * time.Second})
		c.call(0)
		opened := time.Now()
		time.Sleep(3 * time.Second) // these can wait for the tries at 5 s, and 10.1 s, but not for that at 15.2 s
		c.start(1, 5)
		time.Sleep(2500 * time.Millisecond)
		base.is(false)
		c.start(6, 5) // these can
		time.Sleep(7 * time.Second)
		base.is(true)
		c.wg.Wait()
		for _, r := range c.results[1:] {
			switch {
			case r.nth <= 2: // the probes
				assert.Equal(t, apiError("InternalError"), r.body, "call %d", r.nth)
			case r.nth <= 5:
				isReason(t, r.err, ReasonBreakerOpen)
				assert.InDelta(t, 10200*time.Millisecond, r.began.Add(r.took).Sub(opened), 1000, "as soon as it is hopeless")
			default:
				assert.Equal(t, success, r.body, "call %d", r.nth)
			}
		}
		assertAtRest(t, c.rt)
	})
}

// A call that has used up its HoldFor and is thrown back by a throttle takes its place on the way back.
func TestHold_ARetryOnTheWayBackIsNotRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttledOnce := false
		base := &outage{}
		front := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if base.up && req.Header.Get("X-TC-Action") == "StartInstances" && !throttledOnce {
				throttledOnce = true
				return reply(429, "{}")(req)
			}
			return base.RoundTrip(req)
		})
		c := newCaller(t, front, BreakerSettings{HoldFor: 5*time.Second + 1}, WithMaxAttempts(2), withDelay(2*time.Second), WithRetryBudget(0, 0))
		c.call(0)
		base.is(true)
		c.wg.Go(func() { assert.Equal(t, success, c.do(1, newRequest(t, "StartInstances", "throttled")).body) })
		synctest.Wait()
		for i := range 100 {
			c.wg.Go(func() { assert.Equal(t, success, c.call(2+i).body) })
		}
		c.wg.Wait()
		assert.True(t, throttledOnce)
		assert.Len(t, base.arrived, 101)
	})
}

// The breaker opens again while calls come back: those whose HoldFor is over are refused, the others wait on.
func TestHold_TheBreakerOpensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &outage{}
		c := newCaller(t, base, BreakerSettings{HoldFor: 7 * time.Second, FailureRatio: 0.001})
		c.call(0)
		base.is(true)
		c.start(0, 50)
		time.Sleep(5500 * time.Millisecond)
		c.start(50, 50)
		time.Sleep(time.Second)
		base.is(false)
		time.Sleep(time.Second)
		base.is(true)
		c.wg.Wait()
		refused, failed, succeeded := 0, 0, 0
		for _, r := range c.results[1:] {
			switch {
			case r.err != nil:
				isReason(t, r.err, ReasonBreakerOpen)
				refused++
				assert.Less(t, r.nth, 50, "only those who came first")
			case r.body == success:
				succeeded++
			default:
				failed++
			}
		}
		assert.Equal(t, 1, failed, "the one that opened it")
		assert.Positive(t, refused)
		assert.Equal(t, 100, refused+failed+succeeded)
		assertAtRest(t, c.rt)
	})
}

func TestHold_ProbesAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &outage{latency: time.Second}
		c := newCaller(t, base, BreakerSettings{HoldFor: time.Minute, Probes: 3})
		c.call(0)
		base.is(true)
		c.start(0, 10)
		time.Sleep(5500 * time.Millisecond)
		base.mu.Lock()
		assert.Equal(t, 3, base.flying)
		base.mu.Unlock()
		c.wg.Wait()
		assert.Len(t, base.arrived, 10)
	})
}

func TestRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := endpointWith(BreakerSettings{})
		var r ramp
		assert.Zero(t, r.next(time.Now()), "it has not begun")
		begin, passed := time.Now(), 0
		for time.Since(begin) < 3*time.Second {
			if r.take(e, time.Now()) {
				passed++
				continue
			}
			time.Sleep(r.next(time.Now()))
		}
		assert.InDelta(t, 7*10/math.Ln2, passed, 2)
	})
}

func TestEarlier(t *testing.T) {
	var never time.Time
	now := time.Now()
	later := now.Add(1)
	assert.Equal(t, now, earlier(now, later))
	assert.Equal(t, now, earlier(later, now))
	assert.Equal(t, now, earlier(never, now))
	assert.Equal(t, now, earlier(now, never))
	assert.Equal(t, never, earlier(never, never))
}
