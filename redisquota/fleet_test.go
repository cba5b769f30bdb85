package redisquota

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/tctest"
)

// process is one worker of a fleet, in a process of its own.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// worker is this test binary without the race detector, which slows ten processes on two cores down beyond what is to be measured.
var worker = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "redisquota")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "worker")
	out, err := exec.Command("go", "test", "-c", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// launch starts processes that wait for release.
func launch(t testing.TB, jobs ...job) []*process {
	t.Helper()
	binary, err := worker()
	require.NoError(t, err)
	fleet := make([]*process, 0, len(jobs))
	for _, job := range jobs {
		order, err := json.Marshal(job)
		require.NoError(t, err)
		cmd := exec.Command(binary)
		cmd.Env = append(os.Environ(), "REDISQUOTA_WORKER="+string(order), "GOMAXPROCS=2")
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		p := &process{cmd, in, json.NewDecoder(out)}
		t.Cleanup(p.kill)
		fleet = append(fleet, p)
	}
	for _, p := range fleet {
		p.result(t) // it is ready
	}
	return fleet
}

func release(t testing.TB, fleet []*process) {
	t.Helper()
	for _, p := range fleet {
		_, err := p.in.Write([]byte{'\n'})
		require.NoError(t, err)
	}
}

// kill ends it as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *process) result(t testing.TB) result {
	t.Helper()
	var r result
	require.NoError(t, p.out.Decode(&r))
	return r
}

func repeat(n int, j job) []job {
	jobs := make([]job, n)
	for i := range jobs {
		jobs[i] = j
		jobs[i].Name = strconv.Itoa(i)
	}
	return jobs
}

const (
	quota = 400 // calls per second: the 20/s, scaled down to what a test can wait for
	burst = 400
)

// service is the fake API with that quota, and the latencies of the issue.
func service(opts ...tctest.Option) *tctest.Server {
	return tctest.NewServer(append([]tctest.Option{
		tctest.WithQuota("*", tctest.TokenBucket(quota, burst)), tctest.WithRecord(-1, 0),
		tctest.WithNetworkDelay(tctest.Between(5*time.Millisecond, 15*time.Millisecond)),
		tctest.WithLatency(tctest.Fixed(30 * time.Millisecond)), tctest.WithThrottledLatency(tctest.Fixed(2 * time.Millisecond)),
	}, opts...)...)
}

// seen is what the service saw of a fleet.
type seen struct{ calls []tctest.Call }

func seenBy(api *tctest.Server) seen {
	calls := api.Calls(tctest.ByAction("DescribeInstances"))
	slices.SortFunc(calls, func(a, b tctest.Call) int { return a.Time.Compare(b.Time) })
	return seen{calls}
}

func (s seen) first() time.Time { return s.calls[0].Time }

// makespan is how long the service was at work, from the first call to the last.
func (s seen) makespan() time.Duration { return s.calls[len(s.calls)-1].Time.Sub(s.first()) }

// between returns what arrived in a time counted from the first call.
func (s seen) between(from, to time.Duration) seen {
	return seen{slices.DeleteFunc(slices.Clone(s.calls), func(c tctest.Call) bool {
		at := c.Time.Sub(s.first())
		return at < from || at >= to
	})}
}

func (s seen) throttled() int {
	n := 0
	for _, c := range s.calls {
		if c.Code != "" {
			n++
		}
	}
	return n
}

// shares returns what each worker got, as a part of its fair share by weight.
func (s seen) shares(jobs []job) []float64 {
	count := make([]float64, len(jobs))
	var all, weights float64
	for _, c := range s.calls {
		worker, _ := strconv.Atoi(c.Header.Get("X-Worker"))
		if worker < len(jobs) {
			count[worker]++
			all++
		}
	}
	for _, j := range jobs {
		weights += float64(max(1, j.Weight))
	}
	for i, j := range jobs {
		count[i] /= all * float64(max(1, j.Weight)) / weights
	}
	return count
}

// busiest returns the most that arrived within any time of that length.
func (s seen) busiest(length time.Duration) int {
	most, from := 0, 0
	for to := range s.calls {
		for s.calls[to].Time.Sub(s.calls[from].Time) >= length {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

func fair(t testing.TB, shares []float64, within float64) {
	t.Helper()
	t.Logf("shares: %.3f", shares)
	for i, share := range shares {
		assert.InDelta(t, 1, share, within, "worker %d", i)
	}
}

// The figures for a quota of 20/s, where they mean minutes, hold for the same fleet at 400/s in seconds. On a machine that
// is busy with other things ten processes that start at once get no answer from Redis in time, and go on without it: then little is
// to be learned here but that it ends well.
func TestFleet_TenProcesses(t *testing.T) {
	const processes, calls = 10, 500
	for _, tt := range []struct {
		name      string
		limit     float64
		throttled float64 // of all, after the first seconds
		after     time.Duration
		makespan  float64 // of what is possible
	}{
		{"quota given", quota, 0.005, 0, 1.06},
		{"quota unknown", 0, 0.02, 3 * time.Second, 1.10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, api := startRedis(t), service()
			defer api.Close()
			jobs := repeat(processes, job{
				API: api.HTTP.Listener.Addr().String(), Redis: server.addr, Workers: 50, Calls: calls, Limit: tt.limit, Burst: burst,
			})
			fleet := launch(t, jobs...)
			release(t, fleet)
			trips := 0
			for _, p := range fleet {
				r := p.result(t)
				trips += r.RoundTrips
				if len(r.Changes) > 0 {
					t.Log("without Redis for a while: ", r.Changes)
					tt.throttled, tt.makespan = 0.1, 1.25
				}
				assert.Zero(t, r.Failed, r.Errors)
				assert.Equal(t, calls, r.OK)
			}
			s := seenBy(api)
			possible := float64(processes*calls-burst) / quota
			late := s.between(tt.after, time.Hour)
			makespan := s.makespan().Seconds() / possible
			throttled := float64(late.throttled()) / float64(len(late.calls))
			perCall := float64(trips) / (processes * calls)
			t.Logf("makespan %.3f x, throttled %.4f (%d in all), %.3f round trips per call", makespan, throttled, s.throttled(), perCall)
			assert.LessOrEqual(t, makespan, tt.makespan)
			assert.LessOrEqual(t, throttled, tt.throttled)
			assert.LessOrEqual(t, perCall, 0.2)
			fair(t, s.between(2*time.Second, 9*time.Second).shares(jobs), 0.15)
		})
	}
}

func TestFleet_Weights(t *testing.T) {
	server, api := startRedis(t), service()
	defer api.Close()
	jobs := repeat(3, job{
		API: api.HTTP.Listener.Addr().String(), Redis: server.addr, Workers: 100, For: 8 * time.Second, Limit: quota, Burst: 20,
	})
	jobs[0].Weight, jobs[0].Workers = 3, 300
	fleet := launch(t, jobs...)
	release(t, fleet)
	for _, p := range fleet {
		assert.Zero(t, p.result(t).Failed)
	}
	fair(t, seenBy(api).between(time.Second, 7*time.Second).shares(jobs), 0.2)
}
