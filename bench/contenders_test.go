package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/bench/peer"
)

// A contender is a way to make calls through a base RoundTripper.
type contender struct {
	name    string
	wrap    func(base http.RoundTripper) (http.RoundTripper, error)
	retries bool
}

// contenders are compared with the first of them, which adds nothing, and with the second.
var contenders = []contender{
	{name: "bare", wrap: func(base http.RoundTripper) (http.RoundTripper, error) { return base, nil }},
	{name: "floor", wrap: func(base http.RoundTripper) (http.RoundTripper, error) { return peer.NewFloor(base), nil }},
	ours("tencenthttp"),
	ours("tencenthttp+limit", unbinding()),
	ours("tencenthttp+limit+hooks", unbinding(), everyHook()),
	library("failsafe-go+bounded", peer.Failsafe, peer.Bounded),
	library("failsafe-go+readall", peer.Failsafe, peer.ReadAll),
	library("go-retryablehttp+bounded", peer.Retryablehttp, peer.Bounded),
	library("go-retryablehttp+readall", peer.Retryablehttp, peer.ReadAll),
	library("rehttp+bounded", peer.Rehttp, peer.Bounded),
	library("rehttp+readall", peer.Rehttp, peer.ReadAll),
	library("aws-standard+bounded", peer.AWSStandard, peer.Bounded),
	library("aws-standard+readall", peer.AWSStandard, peer.ReadAll),
	library("aws-adaptive+bounded", peer.AWSAdaptive, peer.Bounded),
	library("aws-adaptive+readall", peer.AWSAdaptive, peer.ReadAll),
}

func library(name string, wrap func(http.RoundTripper, peer.Look) http.RoundTripper, look peer.Look) contender {
	return contender{name: name, retries: true, wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
		return wrap(base, look), nil
	}}
}

func (c contender) over(tb testing.TB, base http.RoundTripper) http.RoundTripper {
	tb.Helper()
	rt, err := c.wrap(base)
	require.NoError(tb, err)
	return rt
}

func TestSuccess_hasTheSizeAndIsNoError(t *testing.T) {
	for _, size := range sizes {
		data := success(size.bytes)
		assert.Len(t, data, size.bytes)
		assert.True(t, json.Valid(data), size.name)
		assert.NotContains(t, string(data), `"Error"`)
	}
}

func TestContenders_passASuccess(t *testing.T) {
	for _, c := range contenders {
		for _, size := range sizes {
			t.Run(c.name+"/"+size.name, func(t *testing.T) {
				base := &stub{script: [][]byte{success(size.bytes)}}
				got := answer(t, c.over(t, base), describeInstances(t, "http://cvm.tencentcloudapi.com/"))
				assert.True(t, bytes.Equal(success(size.bytes), got), "the body has changed")
				assert.Equal(t, 1, base.calls)
			})
		}
	}
}

func TestContenders_passASuccessOverLoopback(t *testing.T) {
	for _, c := range contenders {
		for _, size := range sizes {
			t.Run(c.name+"/"+size.name, func(t *testing.T) {
				server := serve(t, success(size.bytes))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				req := describeInstances(t, server.URL).WithContext(ctx)
				got := answer(t, c.over(t, server.Client().Transport), req)
				assert.True(t, bytes.Equal(success(size.bytes), got), "the body has changed")
			})
		}
	}
}

// What does not see through status 200 is no match for what does: all must retry a throttle in the envelope.
func TestContenders_retryAThrottle(t *testing.T) {
	for _, c := range contenders {
		if !c.retries {
			continue
		}
		for _, size := range sizes {
			t.Run(c.name+"/"+size.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					base := &stub{script: [][]byte{[]byte(throttled), success(size.bytes)}}
					got := answer(t, c.over(t, base), describeInstances(t, "http://cvm.tencentcloudapi.com/"))
					assert.True(t, bytes.Equal(success(size.bytes), got), "the body has changed")
					assert.Equal(t, 2, base.calls)
				})
			})
		}
	}
}

// The adaptive retryer of AWS is left out: short of a token by a rounding error it sleeps for 0 ns again and again until the
// clock moves, which virtual time does not do for it. It shares its transport with the standard one.
func TestContenders_handBackTheLastThrottle(t *testing.T) {
	for _, c := range contenders {
		if !c.retries || strings.HasPrefix(c.name, "aws-adaptive") {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &stub{script: [][]byte{[]byte(throttled)}}
				got := answer(t, c.over(t, base), describeInstances(t, "http://cvm.tencentcloudapi.com/"))
				assert.Equal(t, throttled, string(got))
				assert.Equal(t, 4, base.calls)
			})
		})
	}
}

func answer(t *testing.T, rt http.RoundTripper, req *http.Request) []byte {
	t.Helper()
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return got
}

// serve starts a server on loopback that answers every call with data.
func serve(tb testing.TB, data []byte) *httptest.Server {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data)
	}))
	tb.Cleanup(server.Close)
	return server
}
