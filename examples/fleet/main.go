// Fleet shows several processes that share one quota. It starts a redis-server, a fake Tencent Cloud with a quota, and processes
// that all call it as fast as they can: first each for itself, then with a quota shared over Redis. A table shows who gets what.
//
//	go run -C examples ./fleet
//	go run -C examples ./fleet -learn       # nobody tells the fleet what the quota is
//	go run -C examples ./fleet -processes 8 -quota 200 -for 20s
//
// It needs redis-server (6.2 or later) in PATH, and takes about twenty seconds. All of it stays on this machine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/redisquota"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// newTransport makes the one transport that a process needs. A real program gives nil for base, and every process does the same.
func newTransport(base http.RoundTripper, client redis.UniversalClient, opts ...redisquota.Option) (*tencenthttp.Transport, error) {
	quota, err := redisquota.New(client, opts...)
	if err != nil {
		return nil, err
	}
	return tencenthttp.NewTransport(base, tencenthttp.WithLimiter(quota.Limiter))
}

// settings are what the flags say.
type settings struct {
	processes int
	quota     int
	length    time.Duration
	learn     bool
}

func main() {
	if ran, err := runWorker(); ran {
		exitOn(err)
		return
	}
	var s settings
	flag.IntVar(&s.processes, "processes", 5, "how many processes; the first has weight 2")
	flag.IntVar(&s.quota, "quota", 100, "calls per second that the service takes from all of them together")
	flag.DurationVar(&s.length, "for", 8*time.Second, "how long each of the two parts takes")
	flag.BoolVar(&s.learn, "learn", false, "do not tell the fleet the quota")
	flag.Parse()
	_, _, err := run(os.Stdout, s)
	exitOn(err)
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// run plays both parts, and compares them.
func run(w io.Writer, s settings) (without, with totals, err error) {
	if s.processes < 1 || s.quota < 1 || s.length < time.Second {
		return without, with, errors.New("at least one process, a quota of 1 and a second are needed")
	}
	server, err := startRedis()
	if err != nil {
		return without, with, err
	}
	defer server.stop()

	fmt.Fprintf(w, "The service takes %d calls a second. %d processes want as many as they can get.\n", s.quota, s.processes)
	fmt.Fprintf(w, "\nEach for itself\n\n")
	if without, err = play(w, s, ""); err != nil {
		return without, with, err
	}
	told := fmt.Sprintf("WithLimit(%d, %d)", s.quota, burst(s))
	if s.learn {
		told = "the limit is learned"
	}
	fmt.Fprintf(w, "\nWith a quota shared over Redis: %s, and the first process has WithWeight(2)\n\n", told)
	if with, err = play(w, s, server.addr); err != nil {
		return without, with, err
	}
	fmt.Fprintf(w, "\nFailed calls: %d without, %d with. Throttled requests: %d without, %d with.\n",
		without.failed, with.failed, without.throttled, with.throttled)
	return without, with, nil
}

func burst(s settings) int { return max(1, s.quota/5) }

// play lets a fleet call a service of its own for a while.
func play(w io.Writer, s settings, redisAddr string) (totals, error) {
	api := tctest.NewServer(
		tctest.WithQuota("*", tctest.TokenBucket(float64(s.quota), burst(s))), tctest.WithRecord(0, 0),
		tctest.WithLatency(tctest.Fixed(30*time.Millisecond)),
	)
	defer api.Close()
	board := newBoard(w, s.processes)
	stop, err := startFleet(s, api, redisAddr, board)
	if err != nil {
		return totals{}, err
	}
	defer stop()
	board.show(s.length)
	return board.totals(), nil
}
