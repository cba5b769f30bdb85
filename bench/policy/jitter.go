package policy

import (
	"math/rand/v2"
	"sync"
	"time"
)

// jitter draws delays evenly from zero to a bound that begins at min and doubles up to max: full jitter. It is seeded, and may be used
// by several goroutines.
type jitter struct {
	min, max time.Duration

	mu  sync.Mutex
	rnd *rand.Rand
}

func newJitter(rules Rules, seed uint64) *jitter {
	return &jitter{min: rules.Backoff.Min.D(), max: rules.Backoff.Max.D(), rnd: rand.New(rand.NewPCG(seed, 2))}
}

// delay returns the delay before a retry, counted from 1.
func (j *jitter) delay(retry int) time.Duration {
	bound := j.min
	for n := 1; n < retry && bound < j.max; n++ {
		bound *= 2
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.Duration(j.rnd.Int64N(int64(min(bound, j.max)) + 1))
}

// Float64 returns a number in [0, 1).
func (j *jitter) Float64() float64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rnd.Float64()
}

// jitterBackOff is a jitter in the form of backoff.BackOff, for one call.
type jitterBackOff struct {
	jitter *jitter
	retry  int
}

func (b *jitterBackOff) NextBackOff() time.Duration {
	b.retry++
	return b.jitter.delay(b.retry)
}

func (b *jitterBackOff) Reset() { b.retry = 0 }
