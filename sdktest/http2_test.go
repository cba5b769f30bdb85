package sdktest

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// protocols notes the protocol of each answer.
type protocols struct {
	base http.RoundTripper
	mu   sync.Mutex
	seen map[string]int
}

func (p *protocols) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.base.RoundTrip(r)
	if err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.seen == nil {
			p.seen = map[string]int{}
		}
		p.seen[resp.Proto]++
	}
	return resp, err
}

func TestSDK_HTTP2(t *testing.T) {
	server := newServer(t, tctest.WithHTTP2(), tctest.WithScript("*", tctest.Fail("RequestLimitExceeded"), tctest.Fail("InternalError")))
	spy := &protocols{base: server.Transport()}

	require.NoError(t, runInstances(newCVM(t, newTransport(t, spy)), ""))

	calls := server.Calls()
	require.Len(t, calls, 3)
	requireSameBytes(t, calls)
	assert.Equal(t, map[string]int{"HTTP/2.0": 3}, spy.seen)
}

func TestSDK_HTTP2ManyStreams(t *testing.T) {
	server := newServer(t, tctest.WithHTTP2(), tctest.WithOutage(tctest.Outage{InternalError: 0.2}))
	rt := newTransport(t, server.Transport(), tencenthttp.WithMaxAttempts(20), tencenthttp.WithoutBreaker(), tencenthttp.WithoutRetryBudget())
	client := newCVM(t, rt)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { assert.NoError(t, runInstances(client, "")) })
	}
	wg.Wait()

	tally := server.Tally()
	assert.Equal(t, 50, tally.Succeeded)
	assert.EqualValues(t, tally.Arrived, rt.Stats()[0].Attempts)
}

// "Connection: close" makes an HTTP/2 server say GOAWAY. The calls after it go to another connection, and none is sent twice.
func TestSDK_HTTP2GoAway(t *testing.T) {
	server := newServer(t, tctest.WithHTTP2(), tctest.WithScript("*", tctest.Success(nil).With("Connection", "close").Forever()))
	rt := newTransport(t, server.Transport())
	client := newCVM(t, rt)

	for range 10 {
		require.NoError(t, runInstances(client, ""))
	}

	assert.Equal(t, 10, server.Count("RunInstances"))
	assert.EqualValues(t, 10, rt.Stats()[0].Attempts)
}

func TestSDK_HTTP2ConnectionsBroken(t *testing.T) {
	server := newServer(t, tctest.WithHTTP2())
	client := newCVM(t, newTransport(t, server.Transport()))

	for range 5 {
		require.NoError(t, describeInstances(client))
		server.CloseClientConnections()
	}

	assert.Equal(t, 5, server.Tally().Succeeded)
}
