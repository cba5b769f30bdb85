package sdktest

import (
	"net/http"
	"net/http/httptrace"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func unsafeRetry(p *profile.ClientProfile) { p.UnsafeRetryOnConnectionFailure = true }

// net/http itself sends a request again if a kept-alive connection breaks before the answer begins and the request counts as
// idempotent to it: GET, or with a (X-)Idempotency-Key. That happens below the transport, which neither sees nor counts it.
func TestSDK_ResendByNetHTTP(t *testing.T) {
	get := signed("TC3-HMAC-SHA256", http.MethodGet)
	for _, row := range []struct {
		name         string
		edits        []profileEdit
		warm         bool // the connection was used before
		token        string
		wantWire     int
		wantAttempts uint64
		wantOK       bool
	}{
		{"C8: UnsafeRetryOnConnectionFailure, kept-alive connection", []profileEdit{unsafeRetry}, true, "", 2, 1, true},
		{"C8: UnsafeRetryOnConnectionFailure, fresh connection: ours retries", []profileEdit{unsafeRetry}, false, "", 2, 2, true},
		{"POST, kept-alive connection", nil, true, "", 1, 1, false},
		{"POST with ClientToken, kept-alive connection: ours retries", nil, true, "token-1", 2, 2, true},
		{"GET, kept-alive connection: net/http takes it for idempotent", []profileEdit{get}, true, "", 2, 1, true},
		{"GET, fresh connection", []profileEdit{get}, false, "", 1, 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := newServer(t, tctest.WithScript("RunInstances", tctest.Broken(tctest.CutBeforeAnswer)))
			rt := newTransport(t, server.Transport())
			client := newCVM(t, rt, row.edits...)
			if row.warm {
				require.NoError(t, describeInstances(client))
			}

			err := runInstances(client, row.token)

			assert.Equal(t, row.wantOK, err == nil, "%v", err)
			assert.Equal(t, row.wantWire, server.Count("RunInstances"))
			requireSameBytes(t, server.Calls(tctest.ByAction("RunInstances")))
			for _, stats := range rt.Stats() {
				if stats.Target.Action == "RunInstances" {
					assert.Equal(t, row.wantAttempts, stats.Attempts)
				}
			}
		})
	}
}

func TestSDK_AnswersThrownAwayKeepTheConnection(t *testing.T) {
	for name, answer := range map[string]tctest.Answer{
		"looked at to its end": tctest.Fail("InternalError"),
		"never looked at":      tctest.Unavailable(),
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, tctest.WithScript("*", answer.Forever()))
			client := newCVM(t, newTransport(t, server.Transport(), tencenthttp.WithoutBreaker(), tencenthttp.WithoutPacing()))
			fresh := 0
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
				if !info.Reused {
					fresh++
				}
			}})

			for range 5 {
				_, err := client.DescribeInstancesWithContext(ctx, cvm.NewDescribeInstancesRequest())
				require.Error(t, err)
			}

			assert.Equal(t, 5*4, server.Count())
			assert.Equal(t, 1, fresh, "C22")
		})
	}
}
