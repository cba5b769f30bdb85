package tencenthttp

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// entry is an entry that is idle unless it is said not to be.
type entry struct {
	usage
	name   int
	active bool
}

func (e *entry) idle(time.Time) bool { return !e.active }

func entryOf(name int) func() (int, *entry) {
	return func() (int, *entry) { return name, &entry{name: name} }
}

func TestRegistry_C40_AMillionKeys(t *testing.T) {
	forgotten := 0
	r := newRegistry[int](100, func(*entry) { forgotten++ })
	now := time.Now()
	busy := r.get(-1, now, entryOf(-1)) // held all the time
	active := r.get(-2, now, entryOf(-2))
	active.active = true
	r.release(active, now)
	const keys = 1_000_000
	for i := range keys {
		now = now.Add(time.Microsecond)
		e := r.get(i, now, entryOf(i))
		if e.name != i || len(r.entries) > 100 {
			require.Equal(t, i, e.name)
			require.LessOrEqual(t, len(r.entries), 100)
		}
		r.release(e, now)
	}
	assert.Equal(t, keys+2-len(r.entries), forgotten)
	assert.Same(t, busy, r.entries[-1], "busy")
	assert.Same(t, active, r.entries[-2], "not idle")
	for i := keys - 70; i < keys; i++ {
		assert.Contains(t, r.entries, i, "the oldest go first")
	}
}

func TestRegistry_C40_GrowsByWhatIsBusy(t *testing.T) {
	r := newRegistry[int, *entry](16, nil)
	now := time.Now()
	var held []*entry
	for i := range 1000 {
		held = append(held, r.get(i, now, entryOf(i)))
	}
	assert.Len(t, r.all(), 1000, "none of them may go")
	for _, e := range held {
		r.release(e, now)
	}
	for i := range 10 {
		r.release(r.get(1000+i, now, entryOf(1000+i)), now)
	}
	assert.LessOrEqual(t, len(r.all()), 16)
}

func TestRegistry_TheFirstOfTwoStays(t *testing.T) {
	var dropped *entry
	r := newRegistry[int](16, func(e *entry) { dropped = e })
	now := time.Now()
	var first, second *entry
	got := r.get(1, now, func() (int, *entry) {
		first = r.get(1, now, entryOf(1)) // another call is faster
		second = &entry{name: 1}
		return 1, second
	})
	assert.Same(t, first, got)
	assert.Same(t, second, dropped)
	assert.EqualValues(t, 2, got.calls.Load())
	assert.Len(t, r.all(), 1)
}

func TestRegistry_ConcurrentUse(t *testing.T) {
	r := newRegistry[int, *entry](50, nil)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 5000 {
				key := (i*7 + worker) % 200
				e := r.get(key, time.Now(), entryOf(key))
				if e.name != key {
					assert.Equal(t, key, e.name)
				}
				r.release(e, time.Now())
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, len(r.all()), 50+8)
	for _, e := range r.all() {
		assert.Zero(t, e.calls.Load())
	}
}

// The same through a Transport: hosts and actions that somebody makes up do not fill the memory, and what is limited stays so.
func TestTransport_C40_MapsStayBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		served := 0
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			switch {
			case req.URL.Host == "busy.tencentcloudapi.com":
				<-release
			case req.URL.Host == "down.tencentcloudapi.com":
				return reply(200, apiError("InternalError"))(req)
			}
			served++
			return reply(200, success)(req)
		})
		rt := newTransport(
			t, base, WithActionRateLimit("Limited", rate.Every(time.Hour), 1), WithMaxAttempts(1),
			WithBreaker(BreakerSettings{MinCalls: 1, FailureRatio: 0.001, OpenFor: time.Hour}),
		)
		call := func(host, action string) error {
			req := newRequest(t, action, "")
			req.URL.Host = host
			resp, err := rt.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			return err
		}
		var busy sync.WaitGroup
		busy.Go(func() { assert.NoError(t, call("busy.tencentcloudapi.com", "RunInstances")) })
		require.NoError(t, call("down.tencentcloudapi.com", "RunInstances"))
		require.NoError(t, call("cvm.tencentcloudapi.com", "Limited"))
		synctest.Wait()

		const n = 25_000
		req := newRequest(t, "", "")
		for i := range n {
			name := strconv.Itoa(i)
			req.Header.Set("X-TC-Action", "Describe"+name)
			req.URL.Host = "host" + name + ".example.com"
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			resp.Body.Close()
			time.Sleep(time.Microsecond)
		}
		assert.Equal(t, n+1, served)
		assert.LessOrEqual(t, len(rt.targets.all()), maxEntries)
		assert.LessOrEqual(t, len(rt.endpoints.all()), maxEntries*5/4, "a target holds its endpoint")
		assert.ErrorIs(t, call("cvm.tencentcloudapi.com", "Limited"), ErrRateLimited, "a pacer that was forgotten would let it pass")
		assert.ErrorIs(t, call("down.tencentcloudapi.com", "Another"), ErrBreakerOpen, "a breaker that was forgotten would be closed")
		close(release)
		busy.Wait()
		assertAtRest(t, rt)
	})
}
