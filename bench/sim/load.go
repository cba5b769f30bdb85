package sim

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tencenthttp/tencenthttp/tctest"
)

// arrive makes the calls of an open load, each when it is due, and waits for the last.
func (s *Scenario) arrive(ctx context.Context, j *journal, clients []Client, seed uint64) {
	var wg sync.WaitGroup
	for n, due := range s.schedule(seed) {
		sleep(ctx, due-time.Since(j.start))
		wg.Go(func() {
			process := n % s.Processes
			s.attempt(tctest.ContextWithRand(ctx, draws(seed, uint64(n))), j, clients[process], process)
		})
	}
	wg.Wait()
}

// schedule returns when the calls of an open load are due. Each has an interval to itself and comes at some moment in it.
func (s *Scenario) schedule(seed uint64) []time.Duration {
	rnd := draws(seed, 1<<32)
	due := make([]time.Duration, 0, s.total())
	interval := 1 / s.Arrivals.Rate
	if s.Arrivals.Poisson {
		for at := rnd.ExpFloat64() * interval; at < s.Arrivals.For.Seconds(); at += rnd.ExpFloat64() * interval {
			due = append(due, time.Duration(at*float64(time.Second)))
		}
		return due
	}
	for n := range s.total() {
		due = append(due, time.Duration((float64(n)+rnd.Float64())*interval*float64(time.Second)))
	}
	return due
}

// work has the workers of all processes make the calls of a closed load until each has succeeded.
func (s *Scenario) work(ctx context.Context, j *journal, clients []Client, seed uint64) {
	var wg sync.WaitGroup
	for process, client := range clients {
		b := &batch{todo: make(chan struct{}, s.Calls)}
		b.left.Store(int64(s.Calls))
		for range s.Calls {
			b.todo <- struct{}{}
		}
		for worker := range s.Workers {
			wg.Go(func() {
				ctx := tctest.ContextWithRand(ctx, draws(seed, uint64(process)<<16+uint64(worker)))
				// One after the other, however the goroutines are scheduled.
				sleep(ctx, time.Duration(process*s.Workers+worker)*time.Microsecond)
				for b.next(ctx) {
					b.done(ctx, s.attempt(ctx, j, client, process), s.Pause.D())
				}
			})
		}
	}
	wg.Wait()
}

// batch is the calls of one process.
type batch struct {
	todo chan struct{} // the calls that nobody works on; closed when all have succeeded
	left atomic.Int64  // the calls that have not succeeded
}

// next takes a call, and returns false if there will be no more.
func (b *batch) next(ctx context.Context) bool {
	select {
	case _, ok := <-b.todo:
		return ok && ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// done ends a call. One that failed is handed back, after a pause.
func (b *batch) done(ctx context.Context, ok bool, pause time.Duration) {
	if !ok {
		sleep(ctx, pause)
		b.todo <- struct{}{}
	} else if b.left.Add(-1) == 0 {
		close(b.todo)
	}
}

func (s *Scenario) attempt(ctx context.Context, j *journal, client Client, process int) bool {
	ctx, cancel := context.WithTimeout(ctx, s.Deadline.D())
	defer cancel()
	return j.attempt(ctx, client, process)
}

// draws returns a source of chance of its own for one worker or call, so that none depends on which goroutine comes first.
func draws(seed, n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
