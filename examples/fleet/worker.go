package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/redisquota"
	"github.com/tencenthttp/tencenthttp/tctest"
)

const (
	orderVariable = "FLEET_WORKER" // has a process's order
	workerHeader  = "X-Worker"     // tells the board who calls
	callers       = 40             // of each process, at once
)

// order is what a process of the fleet is told.
type order struct {
	Number int
	API    string
	Redis  string // empty: no shared quota
	Weight int
	Limit  int // zero: to be learned
	Burst  int
}

// startFleet starts the processes. They end when stop is called, or when this one dies and closes their standard input.
func startFleet(s settings, api *tctest.Server, redisAddr string, board *board) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var processes []*exec.Cmd
	var readers sync.WaitGroup
	stop = func() {
		for _, p := range processes {
			_ = p.Process.Kill()
		}
		readers.Wait()
		for _, p := range processes {
			_ = p.Wait() // they were killed
		}
	}
	for i := range s.processes {
		o := order{Number: i, API: api.HTTP.Listener.Addr().String(), Redis: redisAddr, Weight: 1, Burst: burst(s)}
		if i == 0 {
			o.Weight = 2
		}
		if !s.learn {
			o.Limit = s.quota
		}
		text, err := json.Marshal(o)
		if err != nil {
			stop()
			return nil, err
		}
		p := exec.Command(self)
		p.Env = append(os.Environ(), orderVariable+"="+string(text))
		p.Stderr = os.Stderr
		_, inErr := p.StdinPipe()
		out, outErr := p.StdoutPipe()
		for _, err := range []error{inErr, outErr, p.Start()} {
			if err != nil {
				stop()
				return nil, err
			}
		}
		processes = append(processes, p)
		readers.Go(func() { board.read(i, o.Weight, out) })
	}
	return stop, nil
}

// runWorker runs this program as a process of the fleet if it was started as one.
func runWorker() (bool, error) {
	text := os.Getenv(orderVariable)
	if text == "" {
		return false, nil
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return true, err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until whoever started this is gone
		os.Exit(0)
	}()
	return true, o.work()
}

func (o order) work() error {
	base := &http.Transport{MaxIdleConnsPerHost: callers, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, o.API)
	}}
	rt, err := o.transport(base)
	if err != nil {
		return err
	}
	var failed counter
	for range callers {
		go func() {
			for {
				if err := o.call(rt); err != nil {
					failed.add()
				}
			}
		}()
	}
	for range time.Tick(100 * time.Millisecond) {
		var c counts
		for _, s := range rt.Stats() {
			c.Throttled += int(s.Throttled)
			c.Accepted += int(s.Attempts) - int(s.Throttled) - int(s.Faults)
		}
		c.Failed = failed.value()
		if err := json.NewEncoder(os.Stdout).Encode(c); err != nil {
			return err
		}
	}
	return nil
}

func (o order) transport(base http.RoundTripper) (*tencenthttp.Transport, error) {
	if o.Redis == "" {
		return tencenthttp.NewTransport(base)
	}
	opts := []redisquota.Option{redisquota.WithWeight(o.Weight)}
	if o.Limit > 0 {
		opts = append(opts, redisquota.WithLimit(float64(o.Limit), o.Burst))
	}
	return newTransport(base, redis.NewClient(&redis.Options{Addr: o.Redis}), opts...)
}

// call makes one call. Its signature is not checked, so that there need be none.
func (o order) call(rt http.RoundTripper) error {
	req, err := http.NewRequest(http.MethodPost, "http://cvm.tencentcloudapi.com/", bytes.NewReader([]byte(`{}`)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", "DescribeInstances")
	req.Header.Set("X-TC-Version", "2017-03-12")
	req.Header.Set("X-TC-Region", "ap-guangzhou")
	req.Header.Set(workerHeader, strconv.Itoa(o.Number))
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	envelope, err := tencenthttp.ReadEnvelope(resp)
	switch {
	case err != nil:
		return err
	case envelope != nil && envelope.Error != nil:
		return envelope.Error
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}
