package sdktest

import (
	"crypto/tls"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestSDK_ConnectionLost(t *testing.T) {
	describe := func(client *cvm.Client) error { return describeInstances(client) }
	run := func(client *cvm.Client) error { return runInstances(client, "") }
	runWithToken := func(client *cvm.Client) error { return runInstances(client, "token-1") }
	terminate := func(client *cvm.Client) error {
		request := cvm.NewTerminateInstancesRequest()
		request.InstanceIds = common.StringPtrs([]string{"ins-1"})
		_, err := client.TerminateInstances(request)
		return err
	}
	for _, row := range []struct {
		name      string
		cut       tctest.Cut
		call      func(*cvm.Client) error
		wantCalls int // 1: not retried, an error; 2: retried, and successful
	}{
		{"after the request was written, read", tctest.CutBeforeAnswer, describe, 2},
		{"after the request was written, write", tctest.CutBeforeAnswer, run, 1},
		{"after the request was written, write with ClientToken", tctest.CutBeforeAnswer, runWithToken, 2},
		{"after the request was written, another write", tctest.CutBeforeAnswer, terminate, 1},
		{"in the middle of the answer, read", tctest.CutInBody, describe, 2},
		{"in the middle of the answer, write", tctest.CutInBody, run, 1},
		{"in the middle of the answer, write with ClientToken", tctest.CutInBody, runWithToken, 2},
		{"refused, read", tctest.CutDial, describe, 2},
		{"refused, write", tctest.CutDial, run, 2},
	} {
		for _, base := range bases {
			t.Run(row.name+"/"+base.name, func(t *testing.T) {
				api, rt := base.dial(t, tctest.WithScript("*", tctest.Broken(row.cut)))

				err := row.call(newCVM(t, newTransport(t, rt)))

				calls := api.Calls()
				require.Len(t, calls, row.wantCalls)
				requireSameBytes(t, calls)
				if row.wantCalls > 1 {
					require.NoError(t, err)
					assert.Equal(t, calls[0].ClientToken, calls[1].ClientToken)
					return
				}
				assert.Equal(t, "ClientError.NetworkError", requireSDKError(t, err).GetCode())
				callError := requireCallError(t, err)
				assert.Equal(t, tencenthttp.ReasonNotIdempotent, callError.Reason)
				assert.Equal(t, 1, callError.Attempts)
			})
		}
	}
}

func TestSDK_LostAnswerOfARunBuysOneInstance(t *testing.T) {
	for _, base := range bases {
		t.Run(base.name, func(t *testing.T) {
			var mu sync.Mutex
			instances := map[string]string{} // by ClientToken, as the service does it
			buy := func(r *tctest.Request) (any, error) {
				mu.Lock()
				defer mu.Unlock()
				if instances[r.ClientToken()] == "" {
					instances[r.ClientToken()] = "ins-" + r.RequestID
				}
				return map[string]any{"InstanceIdSet": []string{instances[r.ClientToken()]}}, nil
			}
			api, rt := base.dial(t, tctest.WithHandler("RunInstances", buy),
				tctest.WithScript("RunInstances", tctest.Normal().CutAt(tctest.CutBeforeAnswer, 0)))

			response, err := newCVM(t, newTransport(t, rt)).RunInstances(newRunInstances("token-1"))

			require.NoError(t, err)
			assert.Equal(t, 2, api.Count("RunInstances"))
			assert.Equal(t, map[string]string{"token-1": *response.Response.InstanceIdSet[0]}, instances)
		})
	}
}

func TestSDK_ConnectionLostForEver(t *testing.T) {
	for _, base := range bases {
		t.Run(base.name, func(t *testing.T) {
			api, rt := base.dial(t, tctest.WithScript("*", tctest.Broken(tctest.CutBeforeAnswer).Forever()))

			err := describeInstances(newCVM(t, newTransport(t, rt)))

			assert.Equal(t, 4, api.Count())
			assert.Equal(t, "ClientError.NetworkError", requireSDKError(t, err).GetCode())
			callError := requireCallError(t, err)
			assert.Equal(t, tencenthttp.ReasonAttemptsUsedUp, callError.Reason)
			assert.Equal(t, 4, callError.Attempts)
			assert.Equal(t, "DescribeInstances", callError.Target.Action)
		})
	}
}

func TestSDK_UnknownCertificateIsNotRetried(t *testing.T) {
	server := newServer(t, tctest.WithTLS())
	base := &http.Transport{DialContext: server.DialContext} // which does not know the certificate of httptest
	t.Cleanup(base.CloseIdleConnections)

	err := describeInstances(newCVM(t, newTransport(t, base)))

	assert.Equal(t, "ClientError.NetworkError", requireSDKError(t, err).GetCode())
	var unverified *tls.CertificateVerificationError
	require.ErrorAs(t, err, &unverified)
	callError := requireCallError(t, err)
	assert.Equal(t, tencenthttp.ReasonFatal, callError.Reason)
	assert.Equal(t, 1, callError.Attempts)
	assert.Zero(t, server.Count())
}
