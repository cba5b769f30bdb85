package redisquota

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Everything that can happen to Redis, and to half of the fleet, in one run of ten processes.
func TestFleet_RedisFails(t *testing.T) {
	server, api := startRedis(t), service()
	defer api.Close()
	jobs := repeat(10, job{
		API: api.HTTP.Listener.Addr().String(), Redis: server.addr, Workers: 20, For: 33 * time.Second, Limit: quota, Burst: 40,
	})
	fleet := launch(t, jobs...)
	release(t, fleet)
	require.Eventually(t, func() bool { return api.Count("DescribeInstances") > 0 }, 10*time.Second, 10*time.Millisecond)
	begin := seenBy(api).first()
	at := func(second int, what func()) {
		timer := time.NewTimer(time.Until(begin.Add(time.Duration(second) * time.Second)))
		defer timer.Stop()
		<-timer.C
		what()
	}
	client := server.client(t)
	at(2, server.kill)
	at(7, func() { server.start(t) })
	at(14, func() { require.NoError(t, client.FlushAll(context.Background()).Err()) })
	at(19, func() { require.NoError(t, client.ClientPause(context.Background(), 3*time.Second).Err()) })
	at(28, func() {
		for _, p := range fleet[5:] {
			p.kill()
		}
	})
	for _, p := range fleet[:5] {
		r := p.result(t)
		assert.Zero(t, r.Failed, r.Errors)
		assert.LessOrEqual(t, len(r.Changes), 12, "two for each of the two times, and some where the machine is slow: %v", r.Changes)
	}
	s := seenBy(api)
	between := func(from, to int) seen {
		return s.between(time.Duration(from)*time.Second, time.Duration(to)*time.Second)
	}
	for second := range 32 {
		t.Log(second, len(between(second, second+1).calls), between(second, second+1).throttled())
	}
	ten := s.between(time.Second, time.Hour).busiest(10 * time.Second)
	t.Logf("at most %d in any 10 s", ten)
	assert.LessOrEqual(t, ten, 10*quota*11/10)
	for _, phase := range []struct {
		what     string
		from, to int
	}{{"away", 3, 7}, {"back", 10, 14}, {"flushed", 15, 19}, {"paused", 20, 22}, {"back again", 24, 28}} {
		during := between(phase.from, phase.to)
		t.Log(phase.what, len(during.calls))
		fair(t, during.shares(jobs), 0.25)
		assert.InDelta(t, 1, float64(len(during.calls))/float64(quota*(phase.to-phase.from)), 0.1, phase.what)
	}
	rest := between(29, 32)
	fair(t, rest.shares(jobs[:5]), 0.25)
	assert.InDelta(t, 1, float64(len(rest.calls))/(3*quota), 0.1, "the others' share is theirs now")
}
