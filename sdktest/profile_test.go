package sdktest

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestSDK_DebugLogDoesNotSpoilTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("RunInstances", tctest.Fail("RequestLimitExceeded").Times(2)))
		client := newCVM(t, newTransport(t, api.RoundTripper()))
		var log countingLogger
		client.WithDebug(true).WithLogger(&log)

		require.NoError(t, runInstances(client, "token"))

		requireSameBytes(t, api.Calls())
		assert.Equal(t, 3, api.Count())
		assert.EqualValues(t, 2, log, "the SDK sees one request and one answer")
	})
}

type countingLogger int

func (l *countingLogger) Printf(string, ...any) { *l++ }

func TestSDK_DefaultHttpClientServesAllClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Fail("RequestLimitExceeded")))
		before := common.DefaultHttpClient
		t.Cleanup(func() { common.DefaultHttpClient = before })
		common.DefaultHttpClient = &http.Client{Transport: newTransport(t, api.RoundTripper())}
		client, err := cvm.NewClient(credential(), region, newProfile())
		require.NoError(t, err)

		require.NoError(t, describeInstances(client))
		assert.Equal(t, 2, api.Count())
	})
}

// The SDK puts HttpProfile.Proxy into the transport that it makes itself. Whoever sets another has to give that one the proxy.
func TestSDK_ProxyOfTheProfileIsNotUsed(t *testing.T) {
	server := newServer(t)
	client := newCVM(t, newTransport(t, server.Transport()), func(p *profile.ClientProfile) { p.HttpProfile.Proxy = "http://127.0.0.1:1" })

	require.NoError(t, describeInstances(client), "nobody listens there")
	assert.Equal(t, 1, server.Count())
}

func TestSDK_IdempotentActions(t *testing.T) {
	for _, row := range []struct {
		name          string
		opts          []tencenthttp.Option
		wantRead      int
		wantWrite     int
		wantWithToken int
	}{
		{"default", nil, 2, 1, 2},
		{"idempotent", []tencenthttp.Option{tencenthttp.WithIdempotentActions("cvm:Run*")}, 2, 2, 2},
		{"idempotent elsewhere", []tencenthttp.Option{tencenthttp.WithIdempotentActions("dcdb:*")}, 2, 1, 2},
		{"not idempotent", []tencenthttp.Option{tencenthttp.WithNonIdempotentActions("*")}, 1, 1, 1},
		{"both", []tencenthttp.Option{tencenthttp.WithIdempotentActions("*"), tencenthttp.WithNonIdempotentActions("RunInstances")}, 2, 1, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI()
				client := newCVM(t, newTransport(t, api.RoundTripper(), row.opts...))
				wire := func(call func() error) int {
					api.ResetCalls()
					api.ClearScripts()
					api.Script("*", tctest.Broken(tctest.CutBeforeAnswer))
					err := call()
					assert.Equal(t, api.Count() > 1, err == nil, "%v", err)
					return api.Count()
				}

				assert.Equal(t, row.wantRead, wire(func() error { return describeInstances(client) }))
				assert.Equal(t, row.wantWrite, wire(func() error { return runInstances(client, "") }))
				assert.Equal(t, row.wantWithToken, wire(func() error { return runInstances(client, "token-1") }))
			})
		})
	}
}
