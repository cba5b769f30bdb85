package sdktest

import (
	"bytes"
	"compress/flate"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestSDK_LargeAnswers(t *testing.T) {
	for name, row := range map[string]struct {
		size   int
		answer func(tctest.Answer) tctest.Answer
	}{
		"1 MB":    {1 << 20, func(ans tctest.Answer) tctest.Answer { return ans }},
		"10 MB":   {10 << 20, func(ans tctest.Answer) tctest.Answer { return ans }},
		"chunked": {100 << 10, func(ans tctest.Answer) tctest.Answer { ans.Chunked = true; return ans }},
		"gzip":    {100 << 10, func(ans tctest.Answer) tctest.Answer { ans.Gzip = true; return ans }},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, tctest.WithScript("*", tctest.Fail("RequestLimitExceeded"), row.answer(bigAnswer(row.size))))

			response, err := newCVM(t, newTransport(t, server.Transport())).DescribeInstances(cvm.NewDescribeInstancesRequest())

			require.NoError(t, err)
			assert.Len(t, *response.Response.InstanceSet[0].InstanceName, row.size)
			assert.Equal(t, 2, server.Count())
			assert.Equal(t, server.Calls()[1].RequestID, *response.Response.RequestId)
		})
	}
}

func TestSDK_CompressedAnswers(t *testing.T) {
	var deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, flate.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write([]byte(`{"Response":{"Error":{"Code":"RequestLimitExceeded","Message":"slow down"},"RequestId":"x"}}`))
	require.NoError(t, err)
	require.NoError(t, w.Close())

	throttle := tctest.Fail("RequestLimitExceeded")
	throttle.Gzip = true
	for name, row := range map[string]struct {
		acceptEncoding string // as the caller sets it; empty: net/http sees to it, and decompresses
		throttle       tctest.Answer
	}{
		"gzip by net/http":                {"", throttle},
		"gzip by the caller":              {"gzip", throttle},
		"deflate, as the SDK takes it":    {"deflate", tctest.Raw(200, "application/json", deflated.String()).With("Content-Encoding", "deflate")},
		"not compressed, though accepted": {"gzip", tctest.Fail("RequestLimitExceeded")},
	} {
		for _, base := range bases {
			t.Run(name+"/"+base.name, func(t *testing.T) {
				ok := tctest.Success(map[string]any{"TotalCount": 7})
				ok.Gzip = true
				api, wire := base.dial(t, tctest.WithScript("*", row.throttle.Times(2), ok))
				request := cvm.NewDescribeInstancesRequest()
				if row.acceptEncoding != "" {
					request.SetHeader(map[string]string{"Accept-Encoding": row.acceptEncoding})
				}

				response, err := newCVM(t, newTransport(t, wire, tencenthttp.WithoutPacing())).DescribeInstances(request)

				require.NoError(t, err)
				assert.EqualValues(t, 7, *response.Response.TotalCount)
				assert.Equal(t, 3, api.Count())
			})
		}
	}
}

func TestSDK_CompressedFailureReachesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithGzip(), tctest.WithScript("*", tctest.FailWith("InternalError", "compressed").Forever()))
		request := cvm.NewDescribeInstancesRequest()
		request.SetHeader(map[string]string{"Accept-Encoding": "gzip"})

		// The SDK does not close the body under its gzip.Reader, and so leaves http.Client's timer running: hence none.
		_, err := newCVM(t, newTransport(t, api.RoundTripper()), reqTimeout(0)).DescribeInstances(request)

		sdkError := requireSDKError(t, err)
		assert.Equal(t, "InternalError", sdkError.GetCode())
		assert.Equal(t, "compressed", sdkError.GetMessage())
		assert.Equal(t, 4, api.Count())
	})
}
