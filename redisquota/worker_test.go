package redisquota

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tencenthttp/tencenthttp"
)

// TestMain makes the test binary a worker of a fleet if it was started as one: the tests of fleets are about real processes.
func TestMain(m *testing.M) {
	redis.SetLogger(silent{}) // that there is no Redis is what some tests are about
	order := os.Getenv("REDISQUOTA_WORKER")
	if order == "" {
		code := m.Run()
		if path, err := worker(); err == nil {
			_ = os.RemoveAll(filepath.Dir(path))
		}
		os.Exit(code)
	}
	var job job
	if err := json.Unmarshal([]byte(order), &job); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client := redis.NewClient(&redis.Options{Addr: job.Redis})
	client.Ping(context.Background())
	base := job.connect()
	out := json.NewEncoder(os.Stdout)
	_ = out.Encode(result{})              // ready
	_, _ = os.Stdin.Read(make([]byte, 1)) // all start at once
	if err := out.Encode(job.run(client, base)); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// job is what one process of a fleet does.
type job struct {
	API, Redis string // addresses
	Workers    int
	Calls      int           // by all workers together; zero: until the time is over
	For        time.Duration // zero: until all calls are made
	Pause      time.Duration // between two calls of a worker
	Limit      float64       // zero: to be learned
	Burst      int
	Weight     int
	Name       string // X-Worker in every request
}

// result is what became of it.
type result struct {
	OK, Failed, Throttled, RoundTrips int
	Waits                             []time.Duration // of each call: from its beginning to its first request
	Errors                            []string
	Changes                           []string
}

// connect opens the connections that a service has which runs: ten processes that all do so at once would keep two cores busy.
func (j job) connect() http.RoundTripper {
	base := &http.Transport{MaxIdleConnsPerHost: 500, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, j.API)
	}}
	var wg sync.WaitGroup
	for range j.Workers {
		wg.Go(func() {
			if req, err := newRequest(context.Background(), "DescribeZones"); err == nil {
				if resp, err := base.RoundTrip(req); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		})
	}
	wg.Wait()
	return base
}

func (j job) run(client *redis.Client, base http.RoundTripper) result {
	trips := new(tripCounter)
	client.AddHook(trips)
	var res result
	var mu sync.Mutex
	quota, err := New(client, j.options(func(info ChangeInfo) {
		mu.Lock()
		defer mu.Unlock()
		res.Changes = append(res.Changes, fmt.Sprintf("%v up=%v %v", time.Now().Format("05.000"), info.Up, info.Err))
	})...)
	if err != nil {
		return result{Errors: []string{err.Error()}}
	}
	rt, err := tencenthttp.NewTransport(&firstRequest{base}, tencenthttp.WithLimiter(quota.Limiter), tencenthttp.WithMaxElapsedTime(0))
	if err != nil {
		return result{Errors: []string{err.Error()}}
	}
	var made atomic.Int64
	end := time.Now().Add(j.For)
	var wg sync.WaitGroup
	for range j.Workers {
		wg.Go(func() {
			for (j.Calls == 0 || made.Add(1) <= int64(j.Calls)) && (j.For == 0 || time.Now().Before(end)) {
				wait, err := j.call(rt)
				mu.Lock()
				if err == nil {
					res.OK++
				} else {
					res.Failed++
					res.Errors = append(res.Errors, err.Error())
				}
				res.Waits = append(res.Waits, wait)
				mu.Unlock()
				if j.Pause > 0 {
					time.Sleep(j.Pause)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range rt.Stats() {
		res.Throttled += int(s.Throttled)
	}
	res.RoundTrips = int(trips.Load())
	return res
}

func (j job) options(hook func(ChangeInfo)) []Option {
	opts := []Option{WithHook(hook)}
	if j.Limit > 0 {
		opts = append(opts, WithLimit(j.Limit, j.Burst))
	}
	if j.Weight > 0 {
		opts = append(opts, WithWeight(j.Weight))
	}
	return opts
}

type beginKey struct{}

// firstRequest notes when a call's first request is sent.
type firstRequest struct{ base http.RoundTripper }

func (f *firstRequest) RoundTrip(req *http.Request) (*http.Response, error) {
	if begin, ok := req.Context().Value(beginKey{}).(*atomic.Int64); ok {
		begin.CompareAndSwap(0, time.Now().UnixNano())
	}
	return f.base.RoundTrip(req)
}

func (j job) call(rt http.RoundTripper) (time.Duration, error) {
	var sent atomic.Int64
	ctx := context.WithValue(context.Background(), beginKey{}, &sent)
	req, err := newRequest(ctx, "DescribeInstances")
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-Worker", j.Name)
	begin := time.Now()
	resp, err := rt.RoundTrip(req)
	wait := time.Duration(sent.Load() - begin.UnixNano())
	if err != nil {
		return wait, err
	}
	defer resp.Body.Close()
	envelope, err := tencenthttp.ReadEnvelope(resp)
	if err != nil {
		return wait, err
	}
	if envelope != nil && envelope.Error != nil {
		return wait, envelope.Error
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return wait, err
}

// newRequest makes a call of an account whose SecretId is AKIDfleetsecret.
func newRequest(ctx context.Context, action string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://cvm.tencentcloudapi.com/", bytes.NewReader([]byte(`{}`)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", action)
	req.Header.Set("X-TC-Version", "2017-03-12")
	req.Header.Set("X-TC-Region", "ap-guangzhou")
	req.Header.Set("Authorization", "TC3-HMAC-SHA256 Credential=AKIDfleetsecret/2026-11-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=00")
	return req, nil
}

// tripCounter counts the round trips of a client.
type tripCounter struct{ atomic.Int64 }

func (c *tripCounter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *tripCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" || cmd.Name() == "eval" {
			c.Add(1)
		}
		return next(ctx, cmd)
	}
}

func (c *tripCounter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
