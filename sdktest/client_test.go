package sdktest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	dcdb "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/dcdb/v20180411"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// The key that every client signs with, and where it calls.
const (
	secretID  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	secretKey = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
	region    = "ap-guangzhou"
	cvmHost   = "cvm.tencentcloudapi.com"
)

// newAPI returns a fake API that knows the key: it refuses a request whose bytes are not those that were signed.
func newAPI(opts ...tctest.Option) *tctest.API {
	return tctest.New(append(opts, tctest.WithCredential(secretID, secretKey, ""))...)
}

// newServer is newAPI behind a socket.
func newServer(t *testing.T, opts ...tctest.Option) *tctest.Server {
	t.Helper()
	server := newAPI(opts...).NewServer()
	t.Cleanup(server.Close)
	return server
}

// newTransport returns a transport that retries after a millisecond, unless the options say otherwise.
func newTransport(t *testing.T, base http.RoundTripper, opts ...tencenthttp.Option) *tencenthttp.Transport {
	t.Helper()
	rt, err := tencenthttp.NewTransport(base, append([]tencenthttp.Option{every(time.Millisecond)}, opts...)...)
	require.NoError(t, err)
	return rt
}

// every makes each delay between two attempts that long.
func every(d time.Duration) tencenthttp.Option {
	return tencenthttp.WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(d) })
}

func credential() common.CredentialIface { return common.NewCredential(secretID, secretKey) }

type profileEdit func(*profile.ClientProfile)

func newProfile(edits ...profileEdit) *profile.ClientProfile {
	p := profile.NewClientProfile()
	for _, edit := range edits {
		edit(p)
	}
	return p
}

// reqTimeout sets the SDK's timeout of a whole call.
func reqTimeout(seconds int) profileEdit {
	return func(p *profile.ClientProfile) { p.HttpProfile.ReqTimeout = seconds }
}

func newCVM(t *testing.T, rt http.RoundTripper, edits ...profileEdit) *cvm.Client {
	t.Helper()
	client, err := cvm.NewClient(credential(), region, newProfile(edits...))
	require.NoError(t, err)
	client.WithHttpTransport(rt)
	return client
}

func newDCDB(t *testing.T, rt http.RoundTripper, edits ...profileEdit) *dcdb.Client {
	t.Helper()
	client, err := dcdb.NewClient(credential(), region, newProfile(edits...))
	require.NoError(t, err)
	client.WithHttpTransport(rt)
	return client
}

func newCommon(rt http.RoundTripper, edits ...profileEdit) *common.Client {
	return common.NewCommonClient(credential(), region, newProfile(edits...)).WithHttpTransport(rt)
}

func describeInstances(client *cvm.Client) error {
	_, err := client.DescribeInstances(cvm.NewDescribeInstancesRequest())
	return err
}

func describeDCDBInstances(client *dcdb.Client) error {
	_, err := client.DescribeDCDBInstances(dcdb.NewDescribeDCDBInstancesRequest())
	return err
}

// newRunInstances returns a request for one instance. An empty token is none.
func newRunInstances(token string) *cvm.RunInstancesRequest {
	request := cvm.NewRunInstancesRequest()
	request.ImageId = new("img-l8og963d")
	request.InstanceCount = new(int64(1))
	request.Placement = &cvm.Placement{Zone: new("ap-guangzhou-6")}
	if token != "" {
		request.ClientToken = new(token)
	}
	return request
}

func runInstances(client *cvm.Client, token string) error {
	_, err := client.RunInstances(newRunInstances(token))
	return err
}

// newCommonRequest returns a request without a type of its own, as for a product that the SDK has no package for.
func newCommonRequest(t *testing.T, action string, params map[string]any) *tchttp.CommonRequest {
	t.Helper()
	request := tchttp.NewCommonRequest("cvm", "2017-03-12", action)
	require.NoError(t, request.SetActionParameters(params))
	return request
}

// requireSDKError returns the SDK's own error.
func requireSDKError(t *testing.T, err error) *tcerr.TencentCloudSDKError {
	t.Helper()
	var sdkError *tcerr.TencentCloudSDKError
	require.ErrorAs(t, err, &sdkError)
	return sdkError
}

// requireCallError returns our error from within the SDK's.
func requireCallError(t *testing.T, err error) *tencenthttp.CallError {
	t.Helper()
	var callError *tencenthttp.CallError
	require.ErrorAs(t, err, &callError)
	return callError
}

// requireSameBytes checks that all these wire requests were one and the same, but for those that found no connection.
func requireSameBytes(t *testing.T, calls []tctest.Call) {
	t.Helper()
	calls = slices.DeleteFunc(slices.Clone(calls), func(call tctest.Call) bool { return call.Outcome == tctest.Refused })
	for _, call := range calls {
		require.Equal(t, calls[0].Method, call.Method)
		require.Equal(t, calls[0].Header, call.Header)
		require.Equal(t, string(calls[0].Body), string(call.Body))
	}
}

// endings collects why calls ended.
type endings []tencenthttp.Reason

func (e *endings) option() tencenthttp.Option {
	return tencenthttp.WithHooks(tencenthttp.Hooks{Done: func(_ context.Context, info tencenthttp.DoneInfo) { *e = append(*e, info.Reason) }})
}

// plainReader is an io.Reader and nothing else.
type plainReader struct{ r io.Reader }

func newPlainReader(b []byte) io.Reader { return plainReader{bytes.NewReader(b)} }

func (r plainReader) Read(p []byte) (int, error) { return r.r.Read(p) }

// roundTripper is a function as an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
