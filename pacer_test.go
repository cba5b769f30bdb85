package tencenthttp

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// turn is a request for a turn by a call that began at start, with latest in that time from now; zero if never.
func turn(t *testing.T, start time.Time, latest time.Duration) turnRequest {
	r := turnRequest{ctx: t.Context(), start: start}
	if latest > 0 {
		r.latest = time.Now().Add(latest)
	}
	return r
}

// learn tells the pacer of an attempt that took so long and has just ended.
func learn(p *pacer, verdict Verdict, answered bool, took time.Duration) {
	now := time.Now()
	p.flying.Add(1)
	p.learn(verdict, answered, now.Add(-took), now)
}

func TestPacer_WithoutALimitLetsEverythingPass(t *testing.T) {
	p := newPacer(rateLimit{rate.Inf, 0}, true, false, time.Now())
	for range 1000 {
		require.Nil(t, p.wait(turn(t, time.Now(), time.Nanosecond)))
	}
	p.spend()
	p.giveBack()
	learn(p, Verdict{}, true, time.Second)
	assert.True(t, p.idle(time.Now()))
	limit, waiting := p.state()
	assert.Equal(t, rate.Inf, limit)
	assert.Zero(t, waiting)
}

func TestPacer_KeepsToItsCeiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{10, 5}, true, false, time.Now())
		begin := time.Now()
		var mu sync.Mutex
		var passed []time.Duration
		var wg sync.WaitGroup
		for range 25 {
			wg.Go(func() {
				assert.Nil(t, p.wait(turn(t, begin, 0)))
				mu.Lock()
				defer mu.Unlock()
				passed = append(passed, time.Since(begin).Round(time.Millisecond))
			})
		}
		wg.Wait()
		var want []time.Duration
		for i := range 25 {
			want = append(want, time.Duration(max(0, i-4))*100*time.Millisecond)
		}
		assert.Equal(t, want, passed, "a burst of 5, then one each 100 ms")
	})
}

func TestPacer_OrdersByWhenTheCallBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{1, 1}, true, false, time.Now())
		epoch := time.Now()
		require.Nil(t, p.wait(turn(t, epoch, 0)))
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for _, i := range rand.Perm(100) {
			wg.Go(func() { // as a retry does: it comes late and began early
				assert.Nil(t, p.wait(turn(t, epoch.Add(time.Duration(i)*time.Microsecond), 0)))
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait()
		}
		wg.Wait()
		assert.True(t, slices.IsSorted(order), "%v", order)
		assert.Len(t, order, 100)
	})
}

func TestPacer_ARetryPassesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{1, 1}, true, false, time.Now())
		epoch := time.Now()
		require.Nil(t, p.wait(turn(t, epoch, 0)))
		time.Sleep(100 * time.Millisecond)
		order := make(chan string, 2)
		go func() { p.wait(turn(t, time.Now(), 0)); order <- "new" }()
		synctest.Wait()
		go func() { p.wait(turn(t, epoch, 0)); order <- "retry" }()
		assert.Equal(t, "retry", <-order)
		assert.Equal(t, "new", <-order)
	})
}

func TestPacer_RefusesOnEntryWhatCannotBeAnsweredInTime(t *testing.T) {
	for _, tt := range []struct {
		name    string
		latest  time.Duration
		maxWait time.Duration
		latency time.Duration
		refused bool
	}{
		{name: "just in time", latest: time.Second},
		{name: "a moment too late", latest: time.Second - 10*time.Microsecond, refused: true},
		{name: "the answer would be too late", latest: 1500 * time.Millisecond, latency: 401 * time.Millisecond, refused: true},
		{name: "the answer would be just in time", latest: 1500 * time.Millisecond, latency: 399 * time.Millisecond},
		{name: "longer than it may stand in line", maxWait: 999 * time.Millisecond, refused: true},
		{name: "no longer than it may stand in line", maxWait: time.Second},
		{name: "MaxWait binds before the deadline", latest: time.Hour, maxWait: 500 * time.Millisecond, refused: true},
		{name: "the deadline binds before MaxWait", latest: 500 * time.Millisecond, maxWait: time.Hour, refused: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPacer(rateLimit{1, 1}, true, false, time.Now())
				p.latency.Store(int64(tt.latency))
				begin := time.Now()
				require.Nil(t, p.wait(turn(t, begin, time.Millisecond)), "there is a token")
				request := turn(t, begin, tt.latest)
				request.maxWait = tt.maxWait
				r := p.wait(request)
				if !tt.refused {
					require.Nil(t, r)
					assert.Equal(t, time.Second, time.Since(begin))
					return
				}
				require.NotNil(t, r)
				assert.Equal(t, ReasonRateLimited, r.reason)
				assert.ErrorIs(t, r.err, ErrRateLimited)
				assert.Zero(t, time.Since(begin), "at once")
				assert.Equal(t, time.Second, r.retryAfter, "C35: says how long")
			})
		})
	}
}

func TestPacer_RefusedOnEntrySpendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{1, 1}, true, false, time.Now())
		begin := time.Now()
		require.Nil(t, p.wait(turn(t, begin, 0)))
		for range 1000 {
			require.NotNil(t, p.wait(turn(t, time.Now(), 500*time.Millisecond)))
		}
		require.Nil(t, p.wait(turn(t, time.Now(), 0)))
		assert.InDelta(t, time.Second, time.Since(begin), float64(10*time.Microsecond), "C35")
	})
}

// Retries push in before those who were let in: these are refused at their turn, or as soon as it is too late, and spend nothing.
func TestPacer_RefusesAtItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{1, 1}, true, false, time.Now())
		epoch := time.Now()
		require.Nil(t, p.wait(turn(t, epoch, 0)))
		time.Sleep(time.Millisecond)

		var wg sync.WaitGroup
		wg.Go(func() {
			r := p.wait(turn(t, time.Now(), 1500*time.Millisecond))
			if assert.NotNil(t, r) {
				assert.Equal(t, ReasonRateLimited, r.reason)
				assert.Equal(t, 1501*time.Millisecond+1, time.Since(epoch), "no later than it is hopeless")
				assert.InDelta(t, 1499*time.Millisecond, r.retryAfter, float64(time.Millisecond), "the turn that it would have had")
			}
		})
		synctest.Wait()
		for range 2 {
			wg.Go(func() { assert.Nil(t, p.wait(turn(t, epoch, 0))) })
		}
		wg.Wait()
		assert.InDelta(t, 2*time.Second, time.Since(epoch), float64(time.Millisecond), "three tokens: two seconds")
	})
}

// The timer of the line may come late on a busy machine; the head is asked again then.
func TestPacer_DispatchRefusesAHeadThatIsTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{1, 1}, true, false, time.Now())
		now := time.Now()
		w := newWaiter(now, now.Add(time.Second))
		p.line.join(w)
		next := newWaiter(now, time.Time{})
		p.line.join(next)
		p.dispatch(now.Add(2 * time.Second))
		r := <-w.turn
		require.NotNil(t, r)
		assert.Equal(t, ReasonRateLimited, r.reason)
		assert.Nil(t, <-next.turn, "its token goes to the next")
		assert.True(t, p.line.empty())
	})
}

func TestPacer_CancelAtAnyPoint(t *testing.T) {
	for _, byContext := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			p := newPacer(rateLimit{10, 1}, true, false, time.Now())
			epoch := time.Now()
			require.Nil(t, p.wait(turn(t, epoch, 0)))
			const n = 300
			var mu sync.Mutex
			var passed, canceled int
			var wg sync.WaitGroup
			for i := range n {
				ctx, stop := context.WithCancel(t.Context())
				cancel := make(chan struct{})
				if i%3 > 0 {
					after := time.Duration(rand.IntN(100)) * 100 * time.Millisecond // together with somebody's turn
					time.AfterFunc(after, func() {
						if byContext {
							stop()
						} else {
							close(cancel)
						}
					})
					wg.Go(func() { // C27: at once
						request := turn(t, epoch.Add(time.Duration(i)), 0)
						request.ctx, request.cancel = ctx, cancel
						r := p.wait(request)
						mu.Lock()
						defer mu.Unlock()
						if r == nil {
							passed++
							assert.LessOrEqual(t, time.Since(epoch), after)
							return
						}
						canceled++
						assert.Equal(t, ReasonCanceled, r.reason)
						assert.Equal(t, after, time.Since(epoch))
					})
					continue
				}
				wg.Go(func() {
					assert.Nil(t, p.wait(turn(t, epoch.Add(time.Duration(i)), 0)))
					mu.Lock()
					defer mu.Unlock()
					passed++
				})
				t.Cleanup(stop)
			}
			wg.Wait()
			assert.Equal(t, n, passed+canceled)
			assert.InDelta(t, float64(passed)*0.1, time.Since(epoch).Seconds(), 0.11, "every token went to one who passed, and none was lost")
			assert.True(t, p.line.empty())
			time.Sleep(100 * time.Millisecond)
			assert.True(t, p.idle(time.Now()))
		})
	}
}

// The turn and the cancel come in the same moment: the token goes to the next in line.
func TestPacer_CancelAtTheVeryTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{1, 1}, true, false, time.Now())
		now := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		stop()
		gone := newWaiter(now, time.Time{})
		p.line.join(gone)
		p.dispatch(now)
		require.Len(t, gone.turn, 1, "its turn has come")
		next := newWaiter(now, time.Time{})
		p.line.join(next)

		r := p.leave(gone, turnRequest{ctx: ctx, start: now})
		require.NotNil(t, r)
		assert.Equal(t, ReasonCanceled, r.reason)
		assert.Nil(t, <-next.turn)

		// The same with a refusal: that is what the caller gets.
		late := newWaiter(now, now)
		p.line.join(late)
		p.dispatch(now.Add(time.Second))
		assert.Equal(t, ReasonRateLimited, p.leave(late, turnRequest{ctx: ctx, start: now}).reason)
	})
}

func TestPacer_GiveBackWakesTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{1, 1}, true, false, time.Now())
		epoch := time.Now()
		require.Nil(t, p.wait(turn(t, epoch, 0)))
		time.AfterFunc(300*time.Millisecond, p.giveBack)
		require.Nil(t, p.wait(turn(t, epoch, 0)))
		assert.Equal(t, 300*time.Millisecond, time.Since(epoch))
	})
}

func TestPacer_SpendMakesTheNextWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{1, 1}, true, false, time.Now())
		epoch := time.Now()
		p.spend()
		p.spend() // a probe does not wait
		require.Nil(t, p.wait(turn(t, epoch, 0)))
		assert.InDelta(t, 2*time.Second, time.Since(epoch), float64(10*time.Microsecond))
	})
}

func TestPacer_AThrottleEmptiesTheBurst(t *testing.T) {
	for _, tt := range []struct {
		learns bool
		want   time.Duration
	}{{true, 113 * time.Millisecond}, {false, 0}} {
		synctest.Test(t, func(t *testing.T) {
			p := newPacer(rateLimit{10, 5}, tt.learns, false, time.Now())
			epoch := time.Now()
			learn(p, Verdict{Throttled: true}, true, time.Second)
			require.Nil(t, p.wait(turn(t, epoch, 0)))
			assert.InDelta(t, tt.want, time.Since(epoch), float64(time.Millisecond))
			assert.Zero(t, p.usualLatency(), "a throttled answer says nothing about how long real ones take")
		})
	}
}

func TestPacer_LearnsHowLongAnAnswerTakes(t *testing.T) {
	p := newPacer(rateLimit{10, 5}, true, false, time.Now())
	learn(p, Verdict{}, true, time.Second)
	learn(p, Verdict{Fault: true}, false, time.Minute) // no answer
	assert.Equal(t, time.Second, p.usualLatency())
}

// Waiting calls follow a change of the rate at once. Nothing changes the rate yet but the learning that is to come.
func TestPacer_AChangeOfTheRateReachesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{0.01, 1}, true, false, time.Now())
		epoch := time.Now()
		require.Nil(t, p.wait(turn(t, epoch, 0)))
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { assert.Nil(t, p.wait(turn(t, epoch, 0))) })
		}
		synctest.Wait()
		p.mu.Lock()
		p.ceiling.limiter.SetLimitAt(time.Now(), 1000)
		p.dispatch(time.Now())
		p.mu.Unlock()
		wg.Wait()
		assert.InDelta(t, 100*time.Millisecond, time.Since(epoch), float64(10*time.Millisecond))
	})
}

func TestPacer_TenThousandWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{1000, 1}, true, false, time.Now())
		epoch := time.Now()
		const n = 10_000
		var wg sync.WaitGroup
		var mu sync.Mutex
		refused := 0
		for range n {
			wg.Go(func() {
				if r := p.wait(turn(t, epoch, 5*time.Second)); r != nil {
					mu.Lock()
					refused++
					mu.Unlock()
				}
			})
		}
		synctest.Wait()
		_, waiting := p.state()
		assert.InDelta(t, 5000, waiting, 2)
		wg.Wait()
		assert.InDelta(t, 5000, refused, 2, "those whose turn would come after 5 s, at once")
		assert.InDelta(t, 5*time.Second, time.Since(epoch), float64(10*time.Millisecond))
		time.Sleep(time.Millisecond)
		assert.True(t, p.idle(time.Now()))
	})
}

// Under contention in real time, with a rate so high that the bucket is what decides.
func TestPacer_NoTokenTooManyUnderContention(t *testing.T) {
	const limit, burst, workers = 20_000, 10, 8
	p := newPacer(rateLimit{limit, burst}, true, false, time.Now())
	begin := time.Now()
	var wg sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for range workers {
		wg.Go(func() {
			mine := 0
			for time.Since(begin) < 200*time.Millisecond {
				if p.wait(turn(t, time.Now(), 0)) == nil {
					mine++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			passed += mine
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, float64(passed), burst+limit*time.Since(begin).Seconds())
	assert.Positive(t, passed)
}

func TestPacer_UsualLatencyRisesAtOnceAndFallsSlowly(t *testing.T) {
	p := newPacer(rateLimit{20, 1}, true, false, time.Now())
	assert.Zero(t, p.usualLatency())
	for _, row := range []struct{ took, want time.Duration }{
		{40, 40}, {80, 80}, {40, 75}, {75, 75}, {35, 70}, {200, 200},
	} {
		learn(p, Verdict{}, true, row.took*time.Millisecond)
		assert.Equal(t, row.want*time.Millisecond, p.usualLatency())
	}
	learn(p, Verdict{Throttled: true}, true, time.Second)
	learn(p, Verdict{Fault: true}, false, time.Second)
	assert.Equal(t, 200*time.Millisecond, p.usualLatency(), "throttled or unanswered: says nothing of an answer")
}
