package tencenthttp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// cloud is a service with every kind of trouble. Its answers name the call that they answer.
type cloud struct {
	served, opened, closed atomic.Int64
	down                   atomic.Bool
}

func (c *cloud) RoundTrip(req *http.Request) (*http.Response, error) {
	c.served.Add(1)
	data, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil {
		return nil, err
	}
	answer := func(status int, body string) step {
		return func(*http.Request) (*http.Response, error) {
			resp := answer(status, strings.ReplaceAll(body, "ID", string(data)))
			c.opened.Add(1)
			resp.Body = &countedBody{Reader: resp.Body, closed: &c.closed}
			return resp, nil
		}
	}
	const apiFailure = `{"Response":{"Error":{"Code":%q,"Message":"no luck"},"RequestId":"ID"}}`
	next := answer(200, `{"Response":{"RequestId":"ID"}}`)
	latency := time.Duration(rand.IntN(60)) * time.Millisecond
	switch dice := rand.IntN(100); {
	case c.down.Load():
		next = answer(503, "no JSON of ID")
	case dice < 5:
		next = answer(200, fmt.Sprintf(apiFailure, "RequestLimitExceeded"))
	case dice < 8:
		next = answer(200, fmt.Sprintf(apiFailure, "InternalError"))
	case dice < 10:
		next = answer(200, fmt.Sprintf(apiFailure, "AuthFailure"))
	case dice < 12:
		next = fail(errLost)
	case dice < 14:
		latency = time.Minute // until the attempt's timeout
	case dice < 15:
		next = fail(&unsentError{errLost})
	}
	return after(latency, next)(req)
}

// countedBody counts the first Close.
type countedBody struct {
	io.Reader
	once   sync.Once
	closed *atomic.Int64
}

func (b *countedBody) Close() error {
	b.once.Do(func() { b.closed.Add(1) })
	return nil
}

// 1,000 goroutines over one Transport with options of every kind, through 10 s of throttles, faults, outages, timeouts and
// cancels: nothing lost, nothing leaked, attempts = tokens spent = requests that the service saw.
func TestTransport_C32_Stress(t *testing.T) {
	t.Run("throttles empty the burst", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			served, tokens := stress(t, 3*time.Second)
			assert.LessOrEqual(t, served, tokens)
		})
	})
	t.Run("WithoutPacing: the tokens add up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			served, tokens := stress(t, 10*time.Second, WithoutPacing())
			assert.InDelta(t, served, tokens, 0.01, "C38: tokens spent = attempts")
		})
	})
}

// stress is that for so long. It returns how many requests the service saw and how many tokens were spent.
func stress(t *testing.T, long time.Duration, more ...Option) (served, tokens float64) {
	const callers, limit, burst = 1000, 80, 1000 // a burst so large that no token is lost to it
	service := &cloud{}
	var done, attempts, limited atomic.Int64
	opts := append([]Option{
		WithMaxAttempts(5), WithMaxElapsedTime(8 * time.Second), WithAttemptTimeout(300 * time.Millisecond),
		WithRetryBudget(0.5, 100), WithRateLimit(limit, burst), WithMaxWait(4 * time.Second),
		WithLimiter(func(Target) Limiter {
			return limiterFunc(func(context.Context) error { limited.Add(1); return nil })
		}),
		WithLimiter(func(Target) Limiter { return rate.NewLimiter(rate.Inf, 1) }),
		WithBreaker(BreakerSettings{OpenFor: 200 * time.Millisecond, HoldFor: time.Second, Probes: 2}),
		WithCode("AuthFailure", Verdict{Class: ClassFatal}), WithIdempotentActions("cvm:Start*"), WithNonIdempotentActions("Run*"),
		WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
		WithHooks(newsOf(func(_ context.Context, info any) {
			switch info := info.(type) {
			case AttemptInfo:
				attempts.Add(1)
			case DoneInfo:
				done.Add(int64(info.Attempts))
			}
		})),
		WithMaxInspect(4 << 10), WithMaxReplay(1 << 10),
	}, more...)
	rt, err := NewTransport(service, opts...)
	require.NoError(t, err)

	begin := time.Now()
	var calls, answers, failures atomic.Int64
	var wg sync.WaitGroup
	for worker := range callers {
		wg.Go(func() {
			for i := 0; time.Since(begin) < long; i++ {
				id := fmt.Sprintf("call-%d-%d", worker, i)
				calls.Add(1)
				req := newRequest(t, []string{"RunInstances", "StartInstances", "DescribeInstances"}[worker%3], id)
				req.Header.Set("X-TC-Region", []string{"ap-guangzhou", "ap-shanghai"}[worker%2])
				if i%2 == 0 {
					req.GetBody = nil
				}
				switch rand.IntN(10) {
				case 0:
					req = cancelContextAfter(time.Duration(rand.IntN(2000)) * time.Millisecond)(req)
				case 1:
					req = closeCancelAfter(time.Duration(rand.IntN(2000)) * time.Millisecond)(req)
				case 2:
					ctx, stop := context.WithTimeout(req.Context(), time.Duration(rand.IntN(2000))*time.Millisecond)
					defer stop()
					req = req.WithContext(ctx)
				}
				if getsItsOwn(t, rt, req, id) {
					answers.Add(1)
				} else {
					failures.Add(1)
					time.Sleep(300 * time.Millisecond) // as a caller would
				}
			}
		})
	}
	for range 9 {
		time.Sleep(long / 10)
		service.down.Store(!service.down.Load() && rand.IntN(3) == 0)
		rt.Stats()
	}
	service.down.Store(false)
	wg.Wait()
	ended := time.Now()
	synctest.Wait()

	assert.Equal(t, calls.Load(), answers.Load()+failures.Load(), "nothing lost")
	assert.Greater(t, answers.Load(), int64(1000))
	assert.Equal(t, service.opened.Load(), service.closed.Load(), "no answer leaked")
	assertAtRest(t, rt)

	var stats TargetStats
	for _, target := range rt.targets.all() {
		left := target.pacer.ceiling.limiter.TokensAt(ended)
		require.Less(t, left, float64(burst), "full: tokens were lost")
		tokens += burst + limit*ended.Sub(begin).Seconds() - left
	}
	for _, s := range rt.Stats() {
		stats.Calls += s.Calls
		stats.Attempts += s.Attempts
	}
	assert.EqualValues(t, calls.Load(), stats.Calls)
	assert.EqualValues(t, service.served.Load(), stats.Attempts, "attempts = requests that the service saw")
	assert.Equal(t, service.served.Load(), attempts.Load())
	assert.Equal(t, service.served.Load(), done.Load())
	assert.GreaterOrEqual(t, limited.Load(), service.served.Load(), "every attempt was asked for")
	for _, e := range rt.endpoints.all() {
		e.breaker.gate.State()
		counts := e.breaker.gate.Counts()
		assert.LessOrEqual(t, counts.TotalSuccesses+counts.TotalFailures+counts.TotalExclusions, counts.Requests)
	}
	return float64(service.served.Load()), tokens
}

// getsItsOwn makes a call and tells whether it got an answer, which must be its own.
func getsItsOwn(t *testing.T, rt *Transport, req *http.Request, id string) bool {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		assert.Nil(t, resp, "C9")
		assert.True(t, is[*CallError](err), "%v", err)
		return false
	}
	data, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	assert.NoError(t, err)
	if resp.StatusCode != 200 {
		assert.Equal(t, "no JSON of "+id, string(data))
		return true
	}
	var envelope struct{ Response struct{ RequestId string } }
	assert.NoError(t, json.Unmarshal(data, &envelope))
	assert.Equal(t, id, envelope.Response.RequestId, "nobody gets another's answer")
	return true
}
