package tctest_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestServer_URLAndTransport(t *testing.T) {
	for name, opt := range map[string]tctest.Option{"http": func(*tctest.API) {}, "https": tctest.WithTLS(), "http2": tctest.WithHTTP2()} {
		t.Run(name, func(t *testing.T) {
			srv := tctest.NewServer(opt)
			defer srv.Close()
			for _, target := range []string{srv.URL, "http://cvm.tencentcloudapi.com/", "https://cvm.ap-guangzhou.tencentcloudapi.com:8443/x"} {
				r := newCall(t, "X", "{}")
				u, err := url.Parse(target)
				require.NoError(t, err)
				r.URL, r.Host = u, u.Host
				resp, err := srv.Client().Do(r)
				require.NoError(t, err)
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, map[string]int{"http": 1, "https": 1, "http2": 2}[name], resp.ProtoMajor)
				assert.Equal(t, target, resp.Request.URL.String(), "the caller's request")
				calls := srv.Calls()
				assert.Equal(t, u.Host, calls[len(calls)-1].Host)
			}
		})
	}
}

func TestServer_TransportRefusesWhatNetHTTPRefuses(t *testing.T) {
	srv := tctest.NewServer()
	defer srv.Close()
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.URL = nil }, func(r *http.Request) { r.Header = nil }, func(r *http.Request) { r.URL.Scheme = "ftp" },
		func(r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			cancel()
			*r = *r.WithContext(ctx)
		},
	} {
		r := newCall(t, "X", "{}")
		body := &counted{Reader: strings.NewReader("{}")}
		r.Body = body
		change(r)
		_, err := srv.Transport().RoundTrip(r)
		assert.Error(t, err)
		assert.EqualValues(t, 1, body.closed.Load())
	}
	assert.Zero(t, srv.Count())
}

// The request that the caller handed in is not changed, and its body is closed once, whatever becomes of it.
func TestServer_TransportLeavesTheRequestAlone(t *testing.T) {
	srv := tctest.NewServer(tctest.WithOutage(tctest.Outage{Refuse: .5}))
	defer srv.Close()
	var refused, ok int
	for range 50 {
		r := newCall(t, "X", "{}")
		body := &counted{Reader: strings.NewReader("{}")}
		r.Body = body
		header, u := r.Header.Clone(), *r.URL
		switch fate(srv.Transport(), r) {
		case "refused":
			refused++
		case "ok":
			ok++
		}
		assert.Equal(t, header, r.Header)
		assert.Equal(t, u, *r.URL)
		eventually(t, func() bool { return body.closed.Load() > 0 })
		assert.EqualValues(t, 1, body.closed.Load())
	}
	assert.Equal(t, 50, refused+ok)
	assert.Positive(t, refused)
	assert.Positive(t, ok)
}

// A client that does not come through Transport sees a reset where a connection is refused.
func TestServer_ForeignClient(t *testing.T) {
	for _, opt := range []tctest.Option{func(*tctest.API) {}, tctest.WithTLS()} {
		srv := tctest.NewServer(opt, tctest.WithScript("X", tctest.Broken(tctest.CutDial)), tctest.WithOutage(tctest.Outage{Refuse: 1}))
		defer srv.Close()
		foreign := &http.Transport{DialContext: srv.DialContext, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		defer foreign.CloseIdleConnections()
		for range 2 { // the script, then the outage
			r := newCall(t, "X", "{}")
			r.URL.Scheme = strings.Split(srv.URL, ":")[0]
			_, err := foreign.RoundTrip(r)
			assert.Equal(t, "reset", kind(err))
		}
		assert.Equal(t, 2, srv.Tally().Refused)
	}
}

func TestServer_CloseEndsWhatHangs(t *testing.T) {
	for _, form := range []tctest.Option{func(*tctest.API) {}, tctest.WithTLS(), tctest.WithHTTP2()} {
		srv := tctest.NewServer(form, tctest.WithScript("X", tctest.Hang(), tctest.Success(nil).StallAt(3, -1)))
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := srv.Transport().RoundTrip(newCall(t, "X", "{}"))
			assert.Error(t, err)
		})
		eventually(t, func() bool { return srv.Pending("X") == 1 })
		resp, err := srv.Transport().RoundTrip(newCall(t, "X", "{}"))
		require.NoError(t, err)
		begun := time.Now()
		srv.Close()
		assert.Less(t, time.Since(begun), 3*time.Second)
		_, err = io.ReadAll(resp.Body)
		assert.Error(t, err)
		assert.NoError(t, resp.Body.Close())
		wg.Wait()
		eventually(t, func() bool { return srv.Tally().Abandoned == 1 })
	}
}

// When a client gives up, the server learns of it and says so in the record.
func TestServer_ClientGivesUp(t *testing.T) {
	for _, form := range forms[1:] {
		t.Run(form, func(t *testing.T) {
			outcomes := make(chan tctest.Outcome, 1)
			api, rt := inForm(t, form, tctest.WithScript("X", tctest.Hang()), func(a *tctest.API) {
				a.OnCall(func(c tctest.Call) { outcomes <- c.Outcome })
			})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for api.Pending("X") > 0 {
					runtime.Gosched()
				}
				cancel()
			}()
			_, err := rt.RoundTrip(newCall(t, "X", "{}").WithContext(ctx))
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, tctest.Abandoned, <-outcomes)
		})
	}
}

func TestServer_ClientGivesUpOnARefusal(t *testing.T) {
	srv := tctest.NewServer(tctest.WithOutage(tctest.Outage{Refuse: 1}), tctest.WithNetworkDelay(tctest.Fixed(time.Hour)))
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	assert.Equal(t, "hung", fate(srv.Transport(), newCall(t, "X", "{}").WithContext(ctx)))
	assert.Zero(t, srv.Count(), "it did not get there")
}

func TestServer_KeepsConnections(t *testing.T) {
	var mu sync.Mutex
	conns := map[string]bool{}
	srv := tctest.NewServer(tctest.WithHandler("X", func(*tctest.Request) (any, error) { return nil, nil }))
	defer srv.Close()
	count := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		conns[r.RemoteAddr] = true
		mu.Unlock()
		srv.ServeHTTP(w, r)
	})
	outer := httptest.NewServer(count) // an API is an http.Handler
	defer outer.Close()
	for range 5 {
		r := newCall(t, "X", "{}")
		r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(outer.URL, "http://")
		assert.Equal(t, "ok", fate(outer.Client().Transport, r))
	}
	assert.Len(t, conns, 1)
}

// An early answer comes while the client still uploads.
func TestServer_EarlyAnswer(t *testing.T) {
	srv := tctest.NewServer(tctest.WithScript("X", tctest.Answer{Code: "RequestLimitExceeded", Early: true}))
	defer srv.Close()
	conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: cvm.tencentcloudapi.com\r\nX-TC-Action: X\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{")
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, "RequestLimitExceeded", codeOf(string(b)))
}

func TestServer_ExpectContinue(t *testing.T) {
	srv := tctest.NewServer(tctest.WithScript("X", tctest.Answer{Code: "InternalError", Early: true}))
	defer srv.Close()
	tr := &http.Transport{DialContext: srv.DialContext, ExpectContinueTimeout: time.Minute}
	defer tr.CloseIdleConnections()
	for _, want := range []string{"InternalError", "ok"} {
		r := newCall(t, "X", "{}")
		r.URL.Scheme = "http"
		r.Header.Set("Expect", "100-continue")
		assert.Equal(t, want, fate(tr, r))
	}
	assert.Equal(t, []int{0, 2}, []int{srv.Calls()[0].BodySize, srv.Calls()[1].BodySize})
}

func TestServer_CloseClientConnections(t *testing.T) {
	srv := tctest.NewServer()
	defer srv.Close()
	assert.Equal(t, "ok", fate(srv.Transport(), newCall(t, "X", "{}")))
	srv.CloseClientConnections()
	eventually(t, func() bool { return fate(srv.Transport(), newCall(t, "X", "{}")) == "ok" }) // on a new connection
}

// Nothing is left when a server is closed.
func TestServer_LeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, opt := range []tctest.Option{func(*tctest.API) {}, tctest.WithTLS(), tctest.WithHTTP2()} {
		srv := tctest.NewServer(opt, tctest.WithOutage(tctest.Outage{Refuse: .2, Unavailable: .2, InternalError: .2}))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { fate(srv.Transport(), newCall(t, "X", "{}")) })
		}
		wg.Wait()
		srv.Close()
	}
	eventually(t, func() bool { return runtime.NumGoroutine() <= before })
}

// eventually waits, for a few seconds, until it is so.
func eventually(t *testing.T, isSo func() bool) {
	t.Helper()
	for begun := time.Now(); !isSo(); runtime.Gosched() {
		if time.Since(begun) > 5*time.Second {
			buf := make([]byte, 1<<20)
			t.Fatalf("not so after 5 s:\n%s", buf[:runtime.Stack(buf, true)])
		}
	}
}
