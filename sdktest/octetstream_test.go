package sdktest

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	for i, rnd := 0, rand.New(rand.NewPCG(1, 2)); i < n; i++ {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// uploadRequest is a request as the SDK's generators make it for an action whose parameters are headers and whose body is binary.
type uploadRequest struct {
	*tchttp.BaseRequest
	Name *string `json:"Name,omitempty" name:"Name"`
}

// newUploads returns the same upload in both forms that the SDK has for it.
func newUploads(action string, body []byte) map[string]tchttp.Request {
	common := tchttp.NewCommonRequest("cvm", "2017-03-12", action)
	common.SetOctetStreamParameters(map[string]string{"X-CVM-Name": "picture"}, body)
	name := "picture"
	typed := &uploadRequest{BaseRequest: &tchttp.BaseRequest{}, Name: &name}
	typed.Init().WithApiInfo("cvm", "2017-03-12", action)
	typed.SetContentType("application/octet-stream")
	typed.SetBody(body)
	return map[string]tchttp.Request{"CommonRequest": common, "typed request": typed}
}

func TestSDK_OctetStream(t *testing.T) {
	body := randomBytes(200 << 10)
	for _, row := range []struct {
		name, action string
		answer       tctest.Answer
		wantCalls    int
	}{
		{"throttled write", "UploadPicture", tctest.Fail("RequestLimitExceeded").Times(2), 3},
		{"fault of a write", "UploadPicture", tctest.Fail("InternalError").Times(2), 3},
		{"lost write", "UploadPicture", tctest.Broken(tctest.CutBeforeAnswer), 1},
		{"lost read", "SearchPicture", tctest.Broken(tctest.CutBeforeAnswer), 2},
		{"fatal", "UploadPicture", tctest.Fail("InvalidParameter"), 1},
	} {
		for _, base := range bases {
			for form, request := range newUploads(row.action, body) {
				t.Run(row.name+"/"+base.name+"/"+form, func(t *testing.T) {
					api, wire := base.dial(t, tctest.WithScript("*", row.answer), tctest.WithRecord(-1, -1))
					rt := newTransport(t, wire, tencenthttp.WithoutPacing())

					err := newCommon(rt).SendOctetStream(request, tchttp.NewCommonResponse())

					assert.Equal(t, row.wantCalls > 1, err == nil, "%v", err)
					calls := api.Calls()
					require.Len(t, calls, row.wantCalls)
					for _, call := range calls {
						require.Equal(t, "application/octet-stream", call.Header.Get("Content-Type"))
						require.Equal(t, "picture", call.Header.Get("X-CVM-Name"))
						require.True(t, bytes.Equal(body, call.Body))
						require.Equal(t, calls[0].Header, call.Header)
					}
					assert.Equal(t, row.action, rt.Stats()[0].Target.Action)
				})
			}
		}
	}
}

// Some actions take unsigned calls: the SDK then sends "Authorization: SKIP".
func TestSDK_SkipSign(t *testing.T) {
	api := tctest.New(tctest.WithScript("*", tctest.Fail("RequestLimitExceeded"), tctest.Broken(tctest.CutBeforeAnswer)))
	rt := newTransport(t, api.RoundTripper())
	request := newCommonRequest(t, "DescribeInstances", map[string]any{"Limit": 1})
	request.SetSkipSign(true)

	require.NoError(t, newCommon(rt).Send(request, tchttp.NewCommonResponse()))

	calls := api.Calls()
	require.Len(t, calls, 3)
	requireSameBytes(t, calls)
	assert.Equal(t, "SKIP", calls[0].Header.Get("Authorization"))
	target := rt.Stats()[0].Target
	assert.Equal(t, "cvm", target.Service)
	assert.Equal(t, "DescribeInstances", target.Action)
	assert.Equal(t, region, target.Region)
	assert.Empty(t, target.Account)
}
