package tencenthttp

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/time/rate"
)

// Whatever comes of the attempts, in whatever order, and whoever gives up: nobody waits beyond its deadline, everybody gets an
// answer, no wake-up is lost, and nothing is left behind.
func TestPacer_Properties(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playPacer(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func playPacer(t *testing.T, rnd *rand.Rand) {
	limit := rateLimit{rate.Inf, 0}
	if rnd.IntN(2) == 0 {
		limit = rateLimit{rate.Limit(1 + rnd.IntN(50)), 1 + rnd.IntN(20)}
	}
	p := newPacer(limit, true, true, time.Now())
	opened := make(chan struct{})
	var wg sync.WaitGroup
	for range 500 {
		draw := rand.New(rand.NewPCG(rnd.Uint64(), 0))
		wg.Go(onePacedCall(t, p, draw, opened))
		if rnd.IntN(50) == 0 {
			close(opened)
			opened = make(chan struct{})
		}
		time.Sleep(time.Duration(rnd.IntN(50)) * time.Millisecond)
	}
	wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	assert.True(t, p.line.empty())
	assert.Zero(t, p.flying.Load())
	assert.False(t, p.timer != nil && p.timer.Stop(), "its timer runs")
}

// onePacedCall returns a call that may be throttled, fail, or give up.
func onePacedCall(t *testing.T, p *pacer, rnd *rand.Rand, opened <-chan struct{}) func() {
	return func() { playCall(t, p, rnd, opened) }
}

func playCall(t *testing.T, p *pacer, rnd *rand.Rand, opened <-chan struct{}) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rnd.IntN(20_000))*time.Millisecond)
	defer cancel()
	start := time.Now()
	latest, _ := ctx.Deadline()
	for range 4 {
		late := time.Now().After(latest)
		r := p.wait(turnRequest{ctx: ctx, opened: opened, start: start, latest: latest})
		assert.False(t, !late && time.Now().After(latest.Add(time.Millisecond)), "longer than its deadline")
		if r != nil {
			return
		}
		began := time.Now()
		time.Sleep(time.Duration(rnd.IntN(300)) * time.Millisecond)
		switch rnd.IntN(12) {
		case 0, 1:
			p.learn(Verdict{Class: ClassRetryable, Throttled: true}, true, began, time.Now())
		case 2, 3:
			p.learn(Verdict{Class: ClassRetryable, Fault: true}, rnd.IntN(2) == 0, began, time.Now())
		case 4:
			p.land()
		case 5:
			p.giveBack()
		default:
			p.learn(Verdict{}, true, began, time.Now())
			return
		}
	}
}

func TestPacer_ALearnedRateReachesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{rate.Inf, 0}, true, false, time.Now())
		learn(p, Verdict{Throttled: true}, true, time.Millisecond) // nothing under way: 1/s from now on, and doubling
		begin := time.Now()
		var wg sync.WaitGroup
		for range 10_000 {
			wg.Go(func() {
				assert.Nil(t, p.wait(turn(t, begin, 0)))
				p.learn(Verdict{}, true, time.Now(), time.Now())
			})
		}
		wg.Wait()
		assert.InDelta(t, 12.8, time.Since(begin).Seconds(), 0.5, "log2(1 + 10,000 ln 2)")
	})
}

func TestPacer_OneWhoIsHeldUpKeepsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(rateLimit{10, 1}, true, false, time.Now())
		p.learned.start(10, time.Now())
		p.learned.pauseUntil = time.Now().Add(maxPause)
		begin := time.Now()
		assert.Nil(t, p.wait(turn(t, begin, 0)))
		assert.InDelta(t, maxPause, time.Since(begin), float64(10*time.Millisecond), "the pause has an end")
	})
}
