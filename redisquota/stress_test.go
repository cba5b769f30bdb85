package redisquota

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Callers that come, give up and are refused, throttles, and a Redis that is flushed, paused and back: everybody gets an answer, and
// the limit holds.
func TestQuota_Stress(t *testing.T) {
	server := startRedis(t)
	const perSecond, burst, length = 300, 30, 4 * time.Second
	var turns, refused, canceled atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range 3 {
		l := newQuota(t, server.client(t), WithLimit(perSecond, burst), WithWeight(1+i)).Limiter(target).(*limiter)
		for seed := range 40 {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), uint64(seed)))
				for time.Since(begin) < length {
					ctx, stop := context.WithTimeout(t.Context(), time.Duration(random.IntN(400))*time.Millisecond)
					if random.IntN(4) == 0 {
						time.AfterFunc(time.Duration(random.IntN(50))*time.Millisecond, stop)
					}
					err := l.Wait(ctx)
					_, late := errors.AsType[*waitError](err)
					switch {
					case err == nil:
						turns.Add(1)
						info := accepted()
						if random.IntN(50) == 0 {
							info = throttled()
						}
						l.Observe(ctx, info)
					case late:
						refused.Add(1)
						pause(time.Millisecond) // a caller that is refused does not spin
					case ctx.Err() != nil:
						canceled.Add(1)
					default:
						t.Errorf("%v", err)
					}
					stop()
				}
			})
		}
	}
	client := server.client(t)
	pause(time.Second)
	require.NoError(t, client.FlushAll(t.Context()).Err())
	pause(time.Second)
	require.NoError(t, client.ClientPause(t.Context(), 700*time.Millisecond).Err())
	wg.Wait()
	took := time.Since(begin).Seconds()
	t.Logf("%d turns in %.1f s, %d refused, %d canceled", turns.Load(), took, refused.Load(), canceled.Load())
	assert.LessOrEqual(t, float64(turns.Load()), 1.1*perSecond*took+burst)
	assert.Greater(t, float64(turns.Load()), 0.4*perSecond*took)
	assert.Positive(t, refused.Load())
}

func TestLimiter_RefusesWithoutRedisToo(t *testing.T) {
	l := newQuota(t, redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), WithLimit(10, 1)).Limiter(target)
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	require.NoError(t, l.Wait(ctx))
	near, stopNear := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stopNear()
	begin := time.Now()
	refused, ok := errors.AsType[*waitError](l.Wait(near))
	require.True(t, ok)
	assert.Less(t, time.Since(begin), 200*time.Millisecond, "a tenth of ten a second is one a second")
	assert.InDelta(t, time.Second, refused.RetryAfter(), float64(300*time.Millisecond))

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, l.Wait(canceled), context.Canceled)
}
