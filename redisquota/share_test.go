package redisquota

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// contend lets processes, each with so many callers that never rest, contend for a limit, and returns what each got.
func contend(t *testing.T, perSecond float64, length time.Duration, callers int, weights ...int) (got []int, trips int) {
	server := startRedis(t)
	ctx, stop := context.WithTimeout(t.Context(), length)
	defer stop()
	count := make([]atomic.Int64, len(weights))
	var wg sync.WaitGroup
	var counter tripCounter
	for i, weight := range weights {
		client := server.client(t)
		client.AddHook(&counter)
		l := newQuota(t, client, WithLimit(perSecond, 1), WithWeight(weight), patient).Limiter(target)
		for range callers {
			wg.Go(func() {
				for l.Wait(context.WithoutCancel(ctx)) == nil && ctx.Err() == nil {
					count[i].Add(1)
				}
			})
		}
	}
	wg.Wait()
	for i := range count {
		got = append(got, int(count[i].Load()))
	}
	return got, int(counter.Load())
}

// At a low rate a process has one place at a time: all take turns.
func TestQuota_FairAtALowRate(t *testing.T) {
	got, trips := contend(t, 20, 5*time.Second, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	t.Log(got, trips)
	sum := 0
	for _, n := range got {
		sum += n
		assert.InDelta(t, 10, n, 4, "the first may get some before there are others")
	}
	assert.InDelta(t, 100, sum, 10)
	assert.Less(t, trips, 4*sum)
}

func TestQuota_WeightsAtALowRate(t *testing.T) {
	got, _ := contend(t, 20, 4*time.Second, 6, 3, 1)
	t.Log(got)
	assert.InDelta(t, 60, got[0], 8)
	assert.InDelta(t, 20, got[1], 5)
}
