package sdktest

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/go-resty/resty/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func newResty(rt http.RoundTripper) *resty.Client {
	return resty.New().SetTransport(rt).SetBaseURL("https://"+cvmHost).SetHeader("X-TC-Region", region)
}

func TestResty_JSON(t *testing.T) {
	for _, row := range []struct {
		name, action string
		params       map[string]any
		answer       tctest.Answer
		wantCalls    int
		wantOK       bool
	}{
		{"throttled", "RunInstances", map[string]any{"InstanceCount": 1}, tctest.Fail("RequestLimitExceeded").Times(2), 3, true},
		{"connection lost, read", "DescribeInstances", map[string]any{"Limit": 1}, tctest.Broken(tctest.CutBeforeAnswer), 2, true},
		{"connection lost, write", "RunInstances", map[string]any{"InstanceCount": 1}, tctest.Broken(tctest.CutBeforeAnswer), 1, false},
		{"connection lost, write with ClientToken", "RunInstances", map[string]any{"ClientToken": "t"}, tctest.Broken(tctest.CutBeforeAnswer), 2, true},
	} {
		for _, base := range unsignedBases {
			t.Run(row.name+"/"+base.name, func(t *testing.T) {
				api, wire := base.dial(t, tctest.WithScript("*", row.answer))
				rt := newTransport(t, wire, tencenthttp.WithoutPacing())
				var result struct{ Response struct{ RequestId string } }

				_, err := newResty(rt).R().SetHeader("X-TC-Action", row.action).SetBody(row.params).SetResult(&result).Post("/")

				assert.Equal(t, row.wantOK, err == nil, "%v", err)
				calls := api.Calls()
				require.Len(t, calls, row.wantCalls)
				requireSameBytes(t, calls)
				if row.wantOK {
					assert.Equal(t, calls[row.wantCalls-1].RequestID, result.Response.RequestId)
				}
				assert.Equal(t, tencenthttp.Target{Service: "cvm", Host: cvmHost, Region: region, Action: row.action}, rt.Stats()[0].Target)
			})
		}
	}
}

func TestResty_Multipart(t *testing.T) {
	file := randomBytes(100 << 10)
	for _, row := range []struct {
		name, action, token string
		answer              tctest.Answer
		wantCalls           int
	}{
		{"throttled", "UploadPicture", "", tctest.Fail("RequestLimitExceeded").Times(2), 3},
		{"connection lost, read", "SearchPicture", "", tctest.Broken(tctest.CutBeforeAnswer), 2},
		{"connection lost, write", "UploadPicture", "", tctest.Broken(tctest.CutBeforeAnswer), 1},
	} {
		for _, base := range unsignedBases {
			t.Run(row.name+"/"+base.name, func(t *testing.T) {
				api, wire := base.dial(t, tctest.WithScript("*", row.answer), tctest.WithRecord(-1, -1))

				_, err := newResty(newTransport(t, wire, tencenthttp.WithoutPacing())).R().SetHeader("X-TC-Action", row.action).
					SetMultipartField("Picture", "a.png", "image/png", newPlainReader(file)).
					SetMultipartFormData(map[string]string{"Name": "picture"}).Post("/")

				assert.Equal(t, row.wantCalls > 1, err == nil, "%v", err)
				calls := api.Calls()
				require.Len(t, calls, row.wantCalls)
				requireSameBytes(t, calls)
				assert.Greater(t, calls[0].BodySize, len(file))
			})
		}
	}
}

func TestResty_BreakerOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithOutage(tctest.Outage{Refuse: 1}))
		client := newResty(newTransport(t, api.RoundTripper(), tencenthttp.WithBreaker(hasty)))
		call := func() error {
			_, err := client.R().SetHeader("X-TC-Action", "DescribeInstances").Post("/")
			return err
		}
		require.Error(t, call())
		assert.ErrorIs(t, call(), tencenthttp.ErrBreakerOpen)
		assert.Equal(t, 4, api.Count())
	})
}
