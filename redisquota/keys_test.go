package redisquota

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeyOf(t *testing.T) {
	key := keyOf("tencenthttp:", target)
	assert.Regexp(t, `^tencenthttp:\{[0-9a-f]{32}\}$`, key)
	other := target
	other.Service, other.Host = "cv", "mcvm.tencentcloudapi.com"
	assert.NotEqual(t, key, keyOf("tencenthttp:", other), "where one field ends and the next begins counts")
}

func TestQuota_InACluster(t *testing.T) {
	server := startRedis(t, "--cluster-enabled", "yes")
	require.NoError(t, server.client(t).ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{server.addr}})
	defer client.Close()
	require.Eventually(t, func() bool { return client.Set(t.Context(), "up", 1, time.Second).Err() == nil }, 10*time.Second, 10*time.Millisecond)
	var told journal
	q := newQuota(t, client, WithLimit(100, 10), WithHook(told.note), patient)
	for i := range 20 {
		other := target
		other.Action = fmt.Sprint("Describe", i)
		require.NoError(t, q.Limiter(other).Wait(t.Context()))
	}
	assert.Empty(t, told.ups(), "every key of an exchange is in one slot")
	assert.EqualValues(t, 20, countKeys(t, server.client(t)))
}

func countKeys(t testing.TB, client *redis.Client) int {
	keys := client.Keys(t.Context(), defaultPrefix+"*")
	require.NoError(t, keys.Err())
	return len(keys.Val())
}

func TestQuota_LearnedIsForgotten(t *testing.T) {
	server := startRedis(t)
	client := server.client(t)
	l := newQuota(t, client, patient).Limiter(target).(*limiter)
	require.NoError(t, l.Wait(t.Context()))
	l.Observe(t.Context(), throttled())
	require.NoError(t, l.Wait(t.Context()))
	ttl := client.PTTL(t.Context(), l.key).Val()
	assert.InDelta(t, 5*time.Minute, ttl, float64(10*time.Second))
}

// targets is how many different ones are called; the million takes some minutes: REDISQUOTA_TARGETS=1000000.
func targets(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("REDISQUOTA_TARGETS"))
	if err != nil {
		return 10_000
	}
	t.Logf("%d targets", n)
	return n
}

func TestQuota_ManyTargets(t *testing.T) {
	server := startRedis(t)
	client := server.client(t)
	n := targets(t)
	q := newQuota(t, server.client(t), WithLimit(1000, 1), patient)
	var next atomic.Int64
	var wg sync.WaitGroup
	memory := func() int64 {
		used, err := client.InfoMap(t.Context(), "memory").Result()
		require.NoError(t, err)
		bytes, err := strconv.ParseInt(used["Memory"]["used_memory"], 10, 64)
		require.NoError(t, err)
		return bytes
	}
	empty := memory()
	for range 16 {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(n) {
					return
				}
				other := target
				other.Action = fmt.Sprint("Describe", i)
				assert.NoError(t, q.Limiter(other).Wait(t.Context()))
			}
		})
	}
	wg.Wait()
	t.Logf("%d keys in Redis, %d KiB", client.DBSize(t.Context()).Val(), (memory()-empty)/1024)
	assert.Eventually(t, func() bool {
		runtime.GC()
		q.mu.Lock()
		defer q.mu.Unlock()
		return len(q.limiters) == 0
	}, 10*time.Second, 10*time.Millisecond, "the process remembers what its Transports do")
	assert.Eventually(t, func() bool { return client.DBSize(t.Context()).Val() == 0 }, 30*time.Second, 100*time.Millisecond, "nothing stays behind in Redis")
	assert.Less(t, memory()-empty, int64(8<<20))
}
