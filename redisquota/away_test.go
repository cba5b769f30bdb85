package redisquota

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// journal notes the changes that a Quota tells of.
type journal struct {
	mu      sync.Mutex
	changes []ChangeInfo
}

func (j *journal) note(info ChangeInfo) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.changes = append(j.changes, info)
}

func (j *journal) ups() []bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	var ups []bool
	for _, c := range j.changes {
		ups = append(ups, c.Up)
	}
	return ups
}

// A call for which there is room never waits long, whatever Redis does, and never fails because of it.
func TestQuota_NobodyWaitsForRedis(t *testing.T) {
	server := startRedis(t)
	client := server.client(t)
	var told journal
	q := newQuota(t, server.client(t), WithLimit(400, 40), WithHook(told.note))
	l := q.Limiter(target)
	var longest time.Duration
	var waits []time.Duration
	calls := func(d time.Duration) {
		for end := time.Now().Add(d); time.Now().Before(end); {
			begin := time.Now()
			require.NoError(t, l.Wait(t.Context()))
			waits = append(waits, time.Since(begin))
			longest = max(longest, waits[len(waits)-1])
			pause(20 * time.Millisecond)
		}
	}
	calls(time.Second)
	slices.Sort(waits)
	t.Logf("where a token is there: p50 %v", waits[len(waits)/2])
	assert.Less(t, waits[len(waits)/2], 2*time.Millisecond, "a call over loopback takes longer than that")
	for _, trouble := range []struct {
		name       string
		begin, end func()
	}{
		{"killed", server.kill, func() { server.start(t) }},
		{"paused", func() { require.NoError(t, client.ClientPause(t.Context(), time.Second).Err()) }, func() { calls(500 * time.Millisecond) }},
		{
			"out of memory", func() { require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err()) },
			func() { require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "0").Err()) },
		},
		{
			"a replica after a failover", func() { require.NoError(t, client.ReplicaOf(t.Context(), "127.0.0.1", "1").Err()) },
			func() { require.NoError(t, client.ReplicaOf(t.Context(), "NO", "ONE").Err()) },
		},
		{"flushed", func() { require.NoError(t, client.FlushAll(t.Context()).Err()) }, func() {}},
		{"without its scripts", func() { require.NoError(t, client.ScriptFlush(t.Context()).Err()) }, func() {}},
	} {
		longest = 0
		trouble.begin()
		calls(700 * time.Millisecond)
		trouble.end()
		calls(time.Second)
		t.Logf("%s: %v at most", trouble.name, longest)
		assert.LessOrEqual(t, longest, 100*time.Millisecond, trouble.name)
	}
	ups := told.ups()
	for i, up := range ups {
		assert.Equal(t, i%2 == 1, up, "once for each change: %v", ups)
	}
	assert.GreaterOrEqual(t, len(ups), 8, "lost and found four times")
	assert.True(t, ups[len(ups)-1], "it is back by itself")
}

// pause waits for real: what Redis does has no virtual time.
func pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

func TestQuota_WithoutRedisFromTheBeginning(t *testing.T) {
	var log journalText
	q := newQuota(t, redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), WithLimit(100, 10),
		WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	begin := time.Now()
	for range 5 {
		require.NoError(t, q.Limiter(target).Wait(t.Context()))
	}
	assert.Greater(t, time.Since(begin), 300*time.Millisecond, "a tenth of the limit is what a stranger takes")
	assert.Less(t, time.Since(begin), 2*time.Second)
	require.Eventually(t, func() bool { return log.String() != "" }, 5*time.Second, time.Millisecond)
	assert.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	assert.Contains(t, log.String(), "Redis is lost")
}

// journalText is a log that may be read while it is written.
type journalText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journalText) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journalText) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// What is learned while Redis is away is coarse, but it is learned.
func TestQuota_ThrottledWithoutRedis(t *testing.T) {
	l := newQuota(t, redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})).Limiter(target).(*limiter)
	for range 50 {
		require.NoError(t, l.Wait(t.Context()))
		l.Observe(t.Context(), accepted())
	}
	l.Observe(t.Context(), throttled())
	l.mu.Lock()
	defer l.mu.Unlock()
	assert.InDelta(t, 44, l.solo.share, 1, "0.88 of what was accepted in the last second")
}

func TestHealth_OneProbeAtATime(t *testing.T) {
	var told journal
	h := health{changed: told.note}
	now := time.Now()
	assert.True(t, h.may(now))
	h.lost(context.DeadlineExceeded, now)()
	h.lost(context.DeadlineExceeded, now)()
	assert.False(t, h.may(now.Add(probeEvery-1)))
	now = now.Add(probeEvery)
	assert.True(t, h.may(now))
	assert.False(t, h.may(now.Add(probeEvery)), "it is under way")
	assert.True(t, h.may(now.Add(probeHangs)), "it hangs")
	h.answered()
	assert.True(t, h.may(now), "it is there, if late")
	h.found(now.Add(2 * time.Second))()
	h.found(now.Add(2 * time.Second))()
	assert.True(t, h.may(now))
	assert.Equal(t, []bool{false, true}, told.ups())
	assert.Equal(t, 2*time.Second+probeEvery, told.changes[1].For)
}

// The same exchange is known to Redis by the same words, whatever the host's clock says and whoever asks.
func TestQuota_NothingOfTheHostReachesRedis(t *testing.T) {
	server := startRedis(t)
	client := server.client(t)
	var words recorder
	client.AddHook(&words)
	q := newQuota(t, client, patient)
	l := q.Limiter(target).(*limiter)
	for range 30 {
		require.NoError(t, l.Wait(t.Context()))
		l.Observe(t.Context(), accepted())
	}
	l.Observe(t.Context(), throttled())
	require.NoError(t, l.Wait(t.Context()))
	require.NotEmpty(t, words.seen())
	for _, args := range words.seen() {
		for _, arg := range args[3:] { // the command, the script, the number of keys
			switch arg := arg.(type) {
			case string:
				assert.True(t, arg == l.key || arg == q.id, "%q", arg)
			case int, int64, float64:
				assert.Less(t, assertNumber(t, arg), 1e6, "a time of day is more than that in any unit")
			default:
				t.Errorf("%T", arg)
			}
		}
	}
	keys := server.client(t).Keys(t.Context(), "*").Val()
	assert.Equal(t, []string{l.key}, keys, "one key for a target")
	for _, secret := range []string{"AKID", target.Account, target.Action, target.Region, "cvm"} {
		assert.NotContains(t, keys[0], secret)
	}
}

func assertNumber(t *testing.T, v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case float64:
		return v
	}
	t.Fatalf("%T", v)
	return 0
}

// recorder notes the commands that a client sends.
type recorder struct {
	mu       sync.Mutex
	commands [][]any
}

func (r *recorder) seen() [][]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.commands)
}

func (r *recorder) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r *recorder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if strings.HasPrefix(cmd.Name(), "eval") {
			r.mu.Lock()
			r.commands = append(r.commands, cmd.Args())
			r.mu.Unlock()
		}
		return next(ctx, cmd)
	}
}

func (r *recorder) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
