package tctest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// counted is a request body that counts how often it is closed, and that nobody reads after that.
type counted struct {
	io.Reader
	closed atomic.Int32
	late   atomic.Bool
}

func (c *counted) Read(p []byte) (int, error) {
	if c.closed.Load() > 0 {
		c.late.Store(true)
	}
	return c.Reader.Read(p)
}

func (c *counted) Close() error { c.closed.Add(1); return nil }

func TestRoundTripper_ClosesTheBodyOnce(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[string]struct {
		change  func(*http.Request)
		answer  tctest.Answer
		wantErr string
	}{
		"success":           {},
		"failure":           {answer: tctest.Fail("InternalError")},
		"unknown length":    {change: func(r *http.Request) { r.ContentLength = -1 }},
		"refused":           {answer: tctest.Broken(tctest.CutDial), wantErr: "connection refused"},
		"cut before read":   {answer: tctest.Broken(tctest.CutBeforeRead), wantErr: "connection reset"},
		"cut before answer": {answer: tctest.Broken(tctest.CutBeforeAnswer), wantErr: "EOF"},
		"early":             {answer: tctest.Answer{Early: true}},
		"context done":      {change: func(r *http.Request) { *r = *r.WithContext(canceled) }, wantErr: "context canceled"},
		"canceled":          {change: func(r *http.Request) { c := make(chan struct{}); close(c); r.Cancel = c }, wantErr: "request canceled"},
		"body too short":    {change: func(r *http.Request) { r.ContentLength = 4 }, wantErr: "ContentLength=4 with Body length 2"},
		"body too long":     {change: func(r *http.Request) { r.ContentLength = 1 }, wantErr: "ContentLength=1 with Body length 2"},
		"body fails":        {change: func(r *http.Request) { r.Body.(*counted).Reader = failing{} }, wantErr: "disk gone"},
		"no URL":            {change: func(r *http.Request) { r.URL = nil }, wantErr: "nil Request.URL"},
		"no header":         {change: func(r *http.Request) { r.Header = nil }, wantErr: "nil Request.Header"},
		"another scheme":    {change: func(r *http.Request) { r.URL.Scheme = "ftp" }, wantErr: "unsupported protocol scheme"},
		"no host":           {change: func(r *http.Request) { r.URL = &url.URL{Scheme: "http"} }, wantErr: "no Host"},
		"bad method":        {change: func(r *http.Request) { r.Method = "A B" }, wantErr: "invalid method"},
		"bad header name":   {change: func(r *http.Request) { r.Header["A\nB"] = nil }, wantErr: "invalid header field name"},
		"bad header value":  {change: func(r *http.Request) { r.Header["A"] = []string{"b\nc"} }, wantErr: "invalid header field value"},
		"no path":           {change: func(r *http.Request) { r.URL.Path = "" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, rewindable := range []bool{true, false} {
				api := tctest.New(tctest.WithScript("X", tt.answer))
				body := &counted{Reader: strings.NewReader("{}")}
				r := newCall(t, "X", "{}")
				r.Body = body
				if !rewindable {
					r.GetBody = nil
				}
				if tt.change != nil {
					tt.change(r)
				}
				resp, err := api.RoundTripper().RoundTrip(r)
				assert.True(t, (resp == nil) != (err == nil), "a response or an error")
				if tt.wantErr != "" {
					assert.ErrorContains(t, err, tt.wantErr)
				} else {
					require.NoError(t, err)
				}
				assert.EqualValues(t, 1, body.closed.Load())
				assert.False(t, body.late.Load())
			}
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk gone") }

func TestRoundTripper_BodiesThatAreNone(t *testing.T) {
	rt := tctest.New().RoundTripper()
	r := newCall(t, "X", "")
	r.Body = nil
	assert.Equal(t, "ok", fate(rt, r))
	r.Body = http.NoBody
	assert.Equal(t, "ok", fate(rt, r))
	r.Body, r.ContentLength = nil, 3
	assert.Contains(t, fate(rt, r), "ContentLength=3 with nil Body")
}

// giveUps are the ways in which a caller can give up after a while.
var giveUps = map[string]struct {
	arm  func(r *http.Request, after time.Duration) (*http.Request, func())
	want string
}{
	"context": {func(r *http.Request, after time.Duration) (*http.Request, func()) {
		ctx, cancel := context.WithTimeout(r.Context(), after)
		return r.WithContext(ctx), cancel
	}, "context deadline exceeded"},
	"cause": {func(r *http.Request, after time.Duration) (*http.Request, func()) {
		ctx, cancel := context.WithTimeoutCause(r.Context(), after, errors.New("enough"))
		return r.WithContext(ctx), cancel
	}, "enough"},
	"Cancel": {func(r *http.Request, after time.Duration) (*http.Request, func()) {
		c := make(chan struct{})
		timer := time.AfterFunc(after, func() { close(c) })
		r.Cancel = c
		return r, func() { timer.Stop() }
	}, "net/http: request canceled"},
}

func TestRoundTripper_CallerGivesUp(t *testing.T) {
	const after = 7 * time.Second
	waits := map[string]struct {
		opts   []tctest.Option
		in     string // where the error shows
		counts tctest.Tally
	}{
		"on the way there":  {[]tctest.Option{tctest.WithNetworkDelay(tctest.Fixed(time.Hour))}, "call", tctest.Tally{}},
		"on the way back":   {[]tctest.Option{tctest.WithNetworkDelay(tctest.Fixed(5 * time.Second))}, "call", tctest.Tally{Arrived: 1, Answered: 1, Succeeded: 1}},
		"while it works":    {[]tctest.Option{tctest.WithLatency(tctest.Fixed(time.Hour))}, "call", tctest.Tally{Arrived: 1, Abandoned: 1}},
		"while it hangs":    {[]tctest.Option{tctest.WithScript("X", tctest.Hang())}, "call", tctest.Tally{Arrived: 1, Abandoned: 1}},
		"before the answer": {[]tctest.Option{tctest.WithScript("X", tctest.Success(nil).After(time.Hour))}, "call", tctest.Tally{Arrived: 1, Abandoned: 1}},
		"in a stall":        {[]tctest.Option{tctest.WithScript("X", tctest.Success(nil).StallAt(5, -1))}, "body", tctest.Tally{Arrived: 1, Answered: 1, Succeeded: 1}},
		"in a stream": {
			[]tctest.Option{tctest.WithScript("X", tctest.EventStream(tctest.Event{}, tctest.Event{Pause: time.Hour}))},
			"body",
			tctest.Tally{Arrived: 1, Answered: 1, Succeeded: 1},
		},
		"while it sends": {nil, "upload", tctest.Tally{Arrived: 1, Abandoned: 1}},
	}
	for place, wait := range waits {
		for way, giveUp := range giveUps {
			t.Run(place+"/"+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api := tctest.New(wait.opts...)
					r := newCall(t, "X", "{}")
					if wait.in == "upload" {
						pr, pw := io.Pipe()
						defer func() { _ = pw.Close() }()
						r.Body, r.GetBody, r.ContentLength = pr, nil, -1
					}
					r, stop := giveUp.arm(r, after)
					defer stop()
					resp, err := api.RoundTripper().RoundTrip(r)
					if wait.in == "body" {
						require.NoError(t, err)
						_, err = io.ReadAll(resp.Body)
						_, again := resp.Body.Read(make([]byte, 1))
						assert.Equal(t, err, again)
						require.NoError(t, resp.Body.Close())
					}
					assert.EqualError(t, err, giveUp.want)
					assert.Equal(t, after, api.Elapsed())
					wait.counts.Codes = map[string]int{}
					assert.Equal(t, wait.counts, api.Tally())
				})
			})
		}
	}
}

// Nothing is left of a call when it is over: the bubble would report goroutines.
func TestRoundTripper_LeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithNetworkDelay(tctest.Between(5*time.Millisecond, 15*time.Millisecond)), tctest.WithLatency(tctest.Fixed(30*time.Millisecond)),
			tctest.WithOutage(tctest.Outage{Hang: .2, Unavailable: .2, Refuse: .2, InternalError: .2}))
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				r := newCall(t, "X", "{}")
				r.GetBody = nil
				c := make(chan struct{})
				defer close(c)
				r.Cancel = c
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				resp, err := api.RoundTripper().RoundTrip(r.WithContext(ctx))
				if err == nil {
					_ = resp.Body.Close()
				}
			})
		}
		wg.Wait()
		tally := api.Tally()
		assert.Equal(t, 200, tally.Arrived)
		assert.Equal(t, 200, tally.Answered+tally.Refused+tally.Abandoned)
	})
}

func TestRoundTripper_CallsHooks(t *testing.T) {
	for _, form := range []string{"memory", "http"} {
		for name, tt := range map[string]struct {
			answer tctest.Answer
			want   string
		}{
			"success":           {tctest.Success(nil), "getconn got headers request byte"},
			"early":             {tctest.Answer{Early: true}, "getconn got headers byte"},
			"refused":           {tctest.Broken(tctest.CutDial), "getconn connect failed"},
			"cut before answer": {tctest.Broken(tctest.CutBeforeAnswer), "getconn got headers request"},
		} {
			t.Run(form+"/"+name, func(t *testing.T) {
				var mu sync.Mutex
				var got []string
				note := func(s string) { mu.Lock(); got = append(got, s); mu.Unlock() }
				trace := &httptrace.ClientTrace{
					GetConn: func(hostPort string) {
						assert.Contains(t, hostPort, "cvm.tencentcloudapi.com:")
						note("getconn")
					},
					GotConn:              func(i httptrace.GotConnInfo) { assert.NotNil(t, i.Conn.RemoteAddr()); note("got") },
					WroteHeaders:         func() { note("headers") },
					WroteRequest:         func(i httptrace.WroteRequestInfo) { assert.NoError(t, i.Err); note("request") },
					GotFirstResponseByte: func() { note("byte") },
					ConnectDone: func(_, _ string, err error) {
						if err != nil {
							note("connect failed")
						}
					},
				}
				api, rt := inForm(t, form)
				api.Script("X", tt.answer)
				fate(rt, newCall(t, "X", "{}").WithContext(httptrace.WithClientTrace(t.Context(), trace)))
				mu.Lock()
				defer mu.Unlock()
				words := strings.Join(got, " ")
				if name == "early" {
					words = strings.Replace(words, "request ", "", 1) // over HTTP it may have been sent all the same
				}
				assert.Equal(t, tt.want, words)
			})
		}
	}
}

func TestRoundTripper_PanicOfAHandler(t *testing.T) {
	api := tctest.New(tctest.WithHandler("X", func(*tctest.Request) (any, error) { panic("boom") }))
	body := &counted{Reader: strings.NewReader("{}")}
	r := newCall(t, "X", "{}")
	r.Body = body
	assert.PanicsWithValue(t, "boom", func() { _, _ = api.RoundTripper().RoundTrip(r) })
	assert.EqualValues(t, 1, body.closed.Load())
	assert.Equal(t, 1, api.Tally().Dropped)
}

func TestRoundTripper_WithHTTPClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithScript("X", tctest.Hang(), tctest.Success(nil)))
		c := http.Client{Transport: api.RoundTripper(), Timeout: 3 * time.Second}
		_, err := c.Do(newCall(t, "X", "{}"))
		var ne net.Error
		require.ErrorAs(t, err, &ne)
		assert.True(t, ne.Timeout())
		assert.Equal(t, 3*time.Second, api.Elapsed())
		resp, err := c.Do(newCall(t, "X", "{}"))
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		assert.NoError(t, err)
		assert.True(t, strings.HasPrefix(string(b), fmt.Sprintf(`{"Response":{"RequestId":"%08x`, 1)))
		assert.NoError(t, resp.Body.Close())
	})
}
