package tctest_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ms := time.Millisecond
		api := tctest.New(tctest.WithLatency(tctest.Fixed(30*ms)), tctest.WithThrottledLatency(tctest.Fixed(2*ms)), tctest.WithNetworkDelay(tctest.Fixed(5*ms)),
			tctest.WithQuota("X", tctest.TokenBucket(0, 1)), tctest.WithCredential("AKIDa", "k", ""))
		api.Script("S", tctest.Fail("InternalError"))
		api.SetOutages(tctest.Outage{Action: "Down", Unavailable: 1}, tctest.Outage{Action: "Broken", InternalError: 1}, tctest.Outage{Action: "Refused", Refuse: 1})
		took := func(action, key string) time.Duration {
			begun := time.Now()
			fate(api.RoundTripper(), signer{id: "AKIDa", key: key, now: begun}.tc3(newCall(t, action, "{}")))
			return time.Since(begun)
		}
		for _, tt := range []struct {
			name, action, key string
			want              time.Duration
		}{
			{"accepted", "X", "k", 40 * ms},
			{"throttled", "X", "k", 12 * ms},
			{"refused signature", "X", "no", 12 * ms},
			{"scripted", "S", "k", 10 * ms},
			{"503", "Down", "k", 12 * ms},
			{"InternalError of an outage", "Broken", "k", 40 * ms},
			{"refused connection", "Refused", "k", 10 * ms},
		} {
			assert.Equal(t, tt.want, took(tt.action, tt.key), tt.name)
		}
	})
}

func TestLatency_BetweenAndBelowZero(t *testing.T) {
	l := tctest.Between(5*time.Millisecond, 15*time.Millisecond)
	rnd := rand.New(rand.NewPCG(1, 2))
	var sum time.Duration
	for range 1000 {
		d := l(rnd)
		require.True(t, d >= 5*time.Millisecond && d <= 15*time.Millisecond)
		sum += d
	}
	assert.InDelta(t, 10e-3, (sum / 1000).Seconds(), 5e-4)
	assert.Panics(t, func() { tctest.Between(2, 1) })
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithLatency(tctest.Fixed(-time.Second)))
		assert.Empty(t, call(t, api.RoundTripper(), "X"))
		assert.Zero(t, api.Elapsed())
	})
}

func TestAt_ChangesComeInOrderAndOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New()
		var got []string
		note := func(s string) func() { return func() { got = append(got, fmt.Sprint(s, "@", api.Elapsed())) } }
		api.At(2*time.Second, func() { note("c")(); api.At(2*time.Second, note("d")); api.At(9*time.Second, note("never")) })
		api.At(time.Second, note("a"))
		api.At(time.Second, note("b"))
		call(t, api.RoundTripper(), "X")
		assert.Empty(t, got)
		time.Sleep(time.Second)
		call(t, api.RoundTripper(), "X")
		assert.Equal(t, []string{"a@1s", "b@1s"}, got)
		time.Sleep(2 * time.Second)
		call(t, api.RoundTripper(), "X")
		call(t, api.RoundTripper(), "X")
		assert.Equal(t, []string{"a@1s", "b@1s", "c@3s", "d@3s"}, got)
	})
}

// A request that arrives while a change is being made waits for it.
func TestAt_ConcurrentCallsSeeTheChange(t *testing.T) {
	api := tctest.New()
	changing, release := make(chan struct{}), make(chan struct{})
	api.At(0, func() {
		close(changing)
		<-release
		api.Script("X", tctest.Fail("InternalError").Forever())
	})
	var wg sync.WaitGroup
	wg.Go(func() { assert.Equal(t, "InternalError", call(t, api.RoundTripper(), "X")) })
	<-changing
	for range 4 {
		wg.Go(func() { assert.Equal(t, "InternalError", call(t, api.RoundTripper(), "X")) })
	}
	close(release)
	wg.Wait()
}

// simulate runs a storm and returns its whole record as text.
func simulate(t *testing.T, seed uint64) (record string) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithSeed(seed), tctest.WithRecord(-1, 0), tctest.WithQuota("*", tctest.TokenBucket(20, 20)),
			tctest.WithNetworkDelay(tctest.Between(5*time.Millisecond, 15*time.Millisecond)), tctest.WithLatency(tctest.Fixed(30*time.Millisecond)),
			tctest.WithOutage(tctest.Outage{From: 10 * time.Second, Until: 20 * time.Second, InternalError: .6, Unavailable: .2, Hang: .2}))
		api.At(25*time.Second, func() { api.SetCapacity(tctest.Capacity{Rate: 5, MaxQueue: 2 * time.Second}) })
		var wg sync.WaitGroup
		for worker := range 50 {
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(seed, uint64(worker)))
				ctx := tctest.ContextWithRand(t.Context(), rnd)
				for api.Elapsed() < 40*time.Second {
					ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
					fate(api.RoundTripper(), newCall(t, "X", "{}").WithContext(ctx))
					cancel()
					time.Sleep(time.Duration(rnd.Int64N(int64(time.Second))))
				}
			})
		}
		wg.Wait()
		for _, c := range api.Calls() {
			record += fmt.Sprintln(c.Time.UnixNano(), c.Took, c.Outcome, c.Status, c.Code)
		}
		tally := api.Tally()
		assert.Positive(t, tally.Codes["RequestLimitExceeded"])
		assert.Positive(t, tally.Codes["InternalError"])
		assert.Positive(t, tally.Codes["HTTP 503"])
		assert.Positive(t, tally.Abandoned)
		assert.LessOrEqual(t, tally.Succeeded, 20+20*40)
	})
	return record
}

func TestSimulation_ComesOutTheSame(t *testing.T) {
	first := simulate(t, 1)
	assert.Equal(t, first, simulate(t, 1))
	assert.NotEqual(t, first, simulate(t, 2))
}

func BenchmarkRoundTripper(b *testing.B) {
	for name, opts := range map[string][]tctest.Option{
		"record":    nil,
		"no record": {tctest.WithRecord(0, 0)},
		"quota":     {tctest.WithRecord(0, 0), tctest.WithQuota("*", tctest.TokenBucket(1e9, 1e9))},
		"signed":    {tctest.WithRecord(0, 0), tctest.WithCredential("AKIDa", "k", "")},
	} {
		b.Run(name, func(b *testing.B) {
			rt := tctest.New(opts...).RoundTripper()
			r := signer{id: "AKIDa", key: "k", now: time.Now()}.tc3(newCall(b, "DescribeInstances", `{"InstanceIds":["ins-00000000"]}`))
			b.ReportAllocs()
			for b.Loop() {
				r.Body, _ = r.GetBody()
				resp, err := rt.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}
