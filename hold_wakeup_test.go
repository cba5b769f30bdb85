package tencenthttp

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
)

// refusing is a limiter that refuses or panics when it is asked for a call in line.
type refusing struct{ panics bool }

func (l refusing) Wait(context.Context) error {
	if l.panics {
		panic("limiter")
	}
	return errors.New("no tokens")
}

// Whoever is called and does not go passes the chance on.
func TestHold_NoLostWakeUp(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first func(*http.Request) *http.Request // what the one does that is called first
		opts  []Option
	}{
		{"canceled in line", cancelContextAfter(2 * time.Second), nil},
		{"canceled at its turn", cancelContextAfter(5*time.Second - time.Microsecond), nil},
		{"canceled a moment later", cancelContextAfter(5*time.Second - time.Microsecond + 1), nil},
		{"Request.Cancel at its turn", closeCancelAfter(5*time.Second - time.Microsecond + 1), nil},
		{"a limiter refuses it", nil, []Option{WithLimiter(limiterOf("StartInstances", refusing{}))}},
		{"a limiter panics", nil, []Option{WithLimiter(limiterOf("StartInstances", refusing{panics: true}))}},
		{"its attempt panics", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &outage{}
				panicking := roundTripFunc(func(req *http.Request) (*http.Response, error) {
					if req.Header.Get("X-TC-Action") == "StartInstances" && tt.first == nil {
						panic("base")
					}
					return base.RoundTrip(req)
				})
				c := newCaller(t, panicking, BreakerSettings{HoldFor: time.Minute}, tt.opts...)
				c.call(0)
				opened := time.Now()
				base.is(true)
				c.wg.Go(func() {
					defer func() { recover() }()
					req := newRequest(t, "StartInstances", "first")
					if tt.first != nil {
						req = tt.first(req)
					}
					c.do(1, req)
				})
				time.Sleep(time.Microsecond)
				r := c.call(2)
				assert.Equal(t, success, r.body)
				assert.InDelta(t, 5*time.Second, time.Since(opened), 1000)
				c.wg.Wait()
				assertAtRest(t, c.rt)
			})
		})
	}
}

func limiterOf(action string, limiter Limiter) func(Target) Limiter {
	return func(target Target) Limiter {
		if target.Action == action {
			return limiter
		}
		return nil
	}
}

// What a call has seen may be out of date when it comes to stand in line.
func TestHold_AnOutlookThatIsOutOfDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := endpointWith(BreakerSettings{MinCalls: 1, HoldFor: time.Minute})
		request := turnRequest{ctx: t.Context(), start: time.Now(), maxWait: time.Minute}
		tell(t, e, 1, errFault)
		events, _ := e.hold.seen()
		e.hold.notify()
		summoned, r := e.hold.wait(request, outlook{left: 5 * time.Second, events: events})
		assert.False(t, summoned, "there is news: look again")
		assert.Nil(t, r)

		events, _ = e.hold.seen()
		time.Sleep(5*time.Second + 1)
		begin := time.Now()
		summoned, r = e.hold.wait(request, outlook{left: 1, events: events})
		assert.True(t, summoned, "the breaker's time is over, and nobody else is there to try")
		assert.Nil(t, r)
		assert.Zero(t, time.Since(begin))
	})
}

// The turn comes in the same moment in which the call gives up, or its time is over.
func TestHold_TheTurnComesInTheSameMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := endpointWith(BreakerSettings{MinCalls: 1, HoldFor: time.Minute})
		tell(t, e, 1, errFault)
		start := time.Now()
		late := newWaiter(start, start.Add(5*time.Second))
		late.turn <- nil
		time.Sleep(5*time.Second + 1)
		r, over := e.hold.leave(late, turnRequest{ctx: t.Context(), start: start}, late.latest)
		assert.True(t, over)
		assert.Nil(t, r, "it may go: somebody has to be the probe")

		ctx, stop := context.WithCancel(t.Context())
		stop()
		gone, next := newWaiter(start, time.Time{}), newWaiter(start, time.Time{})
		gone.turn <- nil
		e.hold.line.join(next)
		r, over = e.hold.leave(gone, turnRequest{ctx: ctx, start: start}, time.Time{})
		assert.True(t, over)
		assert.Equal(t, ReasonCanceled, r.reason)
		assert.Nil(t, <-next.turn, "the next one is called")
	})
}

// Outages, slow probes, cancels, deadlines and panics at random times: every call ends, in time, and nobody is left in line.
func TestHold_Stress(t *testing.T) {
	for _, tt := range []struct {
		probes uint32
		pacing []Option
	}{{1, []Option{WithoutPacing()}}, {3, []Option{WithoutPacing()}}, {1, nil}, {3, nil}} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			down, halfOpen := false, 0
			base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
				io.Copy(io.Discard, req.Body)
				req.Body.Close()
				mu.Lock()
				fails := down
				mu.Unlock()
				next := reply(200, success)
				switch dice := rand.IntN(100); {
				case dice < 2:
					panic("base")
				case dice < 5:
					next = reply(429, "{}")
				case dice < 8:
					next = fail(context.Canceled)
				case fails:
					next = reply(200, apiError("InternalError"))
				}
				return after(time.Duration(rand.IntN(200))*time.Millisecond, next)(req)
			})
			const holdFor = 8 * time.Second
			rt := newTransport(t, base, append(tt.pacing,
				WithMaxElapsedTime(30*time.Second), WithRateLimit(200, 10), WithMaxAttempts(3), withDelay(100*time.Millisecond),
				WithBreaker(BreakerSettings{OpenFor: 2 * time.Second, HoldFor: holdFor, Probes: tt.probes}),
				WithHooks(Hooks{BreakerChange: func(_ context.Context, info BreakerChangeInfo) {
					if info.To == gobreaker.StateHalfOpen {
						mu.Lock()
						halfOpen++
						mu.Unlock()
					}
				}}),
			)...)
			ended := make(chan time.Duration, 10_000)
			var wg sync.WaitGroup
			begin := time.Now()
			for i := 0; time.Since(begin) < 30*time.Second; i++ {
				if i%200 == 0 {
					mu.Lock()
					down = rand.IntN(2) == 0
					mu.Unlock()
				}
				wg.Go(func() {
					start := time.Now()
					defer func() {
						recover()
						ended <- time.Since(start)
					}()
					req := newRequest(t, "DescribeInstances", "{}")
					switch rand.IntN(6) {
					case 0:
						req = cancelContextAfter(time.Duration(rand.IntN(4000)) * time.Millisecond)(req)
					case 1:
						req = closeCancelAfter(time.Duration(rand.IntN(4)) * time.Second)(req)
					case 2:
						ctx, stop := context.WithTimeout(req.Context(), time.Duration(rand.IntN(6000))*time.Millisecond)
						defer stop()
						req = req.WithContext(ctx)
					}
					if resp, err := rt.RoundTrip(req); err == nil {
						resp.Body.Close()
					} else {
						assert.Nil(t, resp)
					}
				})
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
			mu.Lock()
			down = false
			mu.Unlock()
			wg.Wait()
			close(ended)
			var took []time.Duration
			for d := range ended {
				took = append(took, d)
			}
			assert.Greater(t, len(took), 2000)
			assert.LessOrEqual(t, slices.Max(took), 31*time.Second)
			assert.True(t, halfOpen > 0 || tt.pacing == nil, "there were outages; with pacing so little is sent that the breaker may not notice")
			assertAtRest(t, rt)
			synctest.Wait()
		})
	}
}
