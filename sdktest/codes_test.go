package sdktest

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	dcdb "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/dcdb/v20180411"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestSDK_ThrottledTwiceThenSuccess(t *testing.T) {
	clients := []struct {
		name, action string
		call         func(*testing.T, http.RoundTripper) error
	}{
		{"cvm read", "DescribeInstances", func(t *testing.T, rt http.RoundTripper) error { return describeInstances(newCVM(t, rt)) }},
		{"cvm write", "RunInstances", func(t *testing.T, rt http.RoundTripper) error { return runInstances(newCVM(t, rt), "") }},
		{"dcdb read", "DescribeDCDBInstances", func(t *testing.T, rt http.RoundTripper) error {
			return describeDCDBInstances(newDCDB(t, rt))
		}},
		{"dcdb write", "CreateAccount", func(t *testing.T, rt http.RoundTripper) error {
			_, err := newDCDB(t, rt).CreateAccount(dcdb.NewCreateAccountRequest())
			return err
		}},
		{"common client", "ModifyInstancesAttribute", func(t *testing.T, rt http.RoundTripper) error {
			request := newCommonRequest(t, "ModifyInstancesAttribute", map[string]any{"InstanceName": "web"})
			return newCommon(rt).Send(request, tchttp.NewCommonResponse())
		}},
	}
	for _, client := range clients {
		for _, code := range []string{"RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded", "LimitExceeded.RateLimitExceeded"} {
			t.Run(client.name+" "+code, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api := newAPI(tctest.WithScript(client.action, tctest.Fail(code).Times(2)))
					rt := newTransport(t, api.RoundTripper())

					require.NoError(t, client.call(t, rt))

					calls := api.Calls(tctest.ByAction(client.action))
					require.Len(t, calls, 3)
					requireSameBytes(t, calls)
					stats := rt.Stats()
					require.Len(t, stats, 1)
					assert.EqualValues(t, 3, stats[0].Attempts)
					assert.EqualValues(t, 2, stats[0].Throttled)
				})
			})
		}
	}
}

func TestSDK_ResponseOfARetriedCallIsDecoded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("RunInstances", tctest.Fail("RequestLimitExceeded"),
			tctest.Success(map[string]any{"InstanceIdSet": []string{"ins-1", "ins-2"}})))
		client := newCVM(t, newTransport(t, api.RoundTripper()))

		response, err := client.RunInstances(newRunInstances(""))

		require.NoError(t, err)
		assert.Equal(t, []*string{new("ins-1"), new("ins-2")}, response.Response.InstanceIdSet)
		assert.Equal(t, api.Calls()[1].RequestID, *response.Response.RequestId)
	})
}

func TestSDK_AuthFailureIsNotRetried(t *testing.T) {
	for _, code := range []string{
		"AuthFailure.InvalidSecretId", "AuthFailure.MFAFailure", "AuthFailure.SecretIdNotFound", "AuthFailure.SignatureExpire",
		"AuthFailure.SignatureFailure", "AuthFailure.TokenFailure", "AuthFailure.UnauthorizedOperation",
	} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("DescribeInstances", tctest.FailWith(code, "the service says no")))

				err := describeInstances(newCVM(t, newTransport(t, api.RoundTripper())))

				calls := api.Calls()
				require.Len(t, calls, 1)
				sdkError := requireSDKError(t, err)
				assert.Equal(t, code, sdkError.GetCode())
				assert.Equal(t, "the service says no", sdkError.GetMessage())
				assert.Equal(t, calls[0].RequestID, sdkError.GetRequestId())
			})
		})
	}
}

func TestSDK_AuthFailureOfAWrongKeyIsNotRetried(t *testing.T) {
	for name, row := range map[string]struct {
		credential common.CredentialIface
		setUp      func(*tctest.API)
		want       string
	}{
		"wrong key":     {common.NewCredential(secretID, "wrong"), nil, "AuthFailure.SignatureFailure"},
		"unknown id":    {common.NewCredential("AKIDnobody", secretKey), nil, "AuthFailure.SecretIdNotFound"},
		"wrong token":   {common.NewTokenCredential(secretID, secretKey, "token"), nil, "AuthFailure.TokenFailure"},
		"clock is late": {credential(), func(api *tctest.API) { api.SetClockOffset(301 * time.Second) }, "AuthFailure.SignatureExpire"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI()
				if row.setUp != nil {
					row.setUp(api)
				}
				client := newCVM(t, newTransport(t, api.RoundTripper()))
				client.WithCredential(row.credential)

				err := describeInstances(client)

				assert.Equal(t, row.want, requireSDKError(t, err).GetCode())
				assert.Equal(t, 1, api.Count())
			})
		})
	}
}

func TestSDK_InternalErrorForEver(t *testing.T) {
	for name, row := range map[string]struct {
		opts []tencenthttp.Option
		want int
	}{
		"default":      {nil, 4},
		"no retry":     {[]tencenthttp.Option{tencenthttp.WithMaxAttempts(1)}, 1},
		"two attempts": {[]tencenthttp.Option{tencenthttp.WithMaxAttempts(2)}, 2},
		"nine":         {[]tencenthttp.Option{tencenthttp.WithMaxAttempts(9)}, 9},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError").Forever()))
				client := newCVM(t, newTransport(t, api.RoundTripper(), row.opts...))

				err := runInstances(client, "")

				calls := api.Calls()
				require.Len(t, calls, row.want)
				sdkError := requireSDKError(t, err)
				assert.Equal(t, "InternalError", sdkError.GetCode())
				assert.NotEmpty(t, sdkError.GetMessage())
				assert.Equal(t, calls[row.want-1].RequestID, sdkError.GetRequestId(), "the last answer's")
			})
		})
	}
}

func TestSDK_WithCodeMakesInternalErrorIdempotencyAware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError").Forever()))
		client := newCVM(t, newTransport(t, api.RoundTripper(),
			tencenthttp.WithCode("InternalError", tencenthttp.Verdict{Class: tencenthttp.ClassIdempotent, Fault: true})))

		assert.Equal(t, "InternalError", requireSDKError(t, runInstances(client, "")).GetCode())
		assert.Equal(t, 1, api.Count("RunInstances"))
		assert.Equal(t, "InternalError", requireSDKError(t, runInstances(client, "token")).GetCode())
		assert.Equal(t, 1+4, api.Count("RunInstances"))
		assert.Equal(t, "InternalError", requireSDKError(t, describeInstances(client)).GetCode())
		assert.Equal(t, 4, api.Count("DescribeInstances"))
	})
}

func TestSDK_UnusualAnswers(t *testing.T) {
	for name, row := range map[string]struct {
		answer    tctest.Answer
		wantCode  string // the SDK's, if the answer never changes
		wantReads int    // wire requests of DescribeInstances
		wantRuns  int    // and of RunInstances without a ClientToken
	}{
		"503 page of a load balancer":      {tctest.Unavailable(), "ClientError.ParseJsonError", 4, 1},
		"503 page with Retry-After":        {tctest.Unavailable().RetryAfter(time.Second), "ClientError.ParseJsonError", 4, 4},
		"older envelope, throttled":        {tctest.LegacyFail(4400, "RequestLimitExceeded", "slow down"), "RequestLimitExceeded", 4, 4},
		"older envelope, fatal":            {tctest.LegacyFail(4100, "AuthFailure", "who are you"), "AuthFailure", 1, 1},
		"failure with status 400":          {tctest.Answer{Status: 400, Code: "InvalidParameter"}, "InvalidParameter", 1, 1},
		"throttled with status 429":        {tctest.Answer{Status: 429, Code: "RequestLimitExceeded"}, "RequestLimitExceeded", 4, 4},
		"unknown code":                     {tctest.Fail("NobodyKnows.This"), "NobodyKnows.This", 1, 1},
		"failed operation":                 {tctest.Fail("FailedOperation"), "FailedOperation", 4, 1},
		"an Error nested in a success":     {tctest.Success(map[string]any{"Task": nestedFailure("InternalError")}), "", 1, 1},
		"a Response nested in a success":   {tctest.Success(map[string]any{"Response": nestedFailure("InternalError")}), "", 1, 1},
		"200 that is no JSON":              {tctest.Raw(http.StatusOK, "application/json", "<html>"), "ClientError.ParseJsonError", 1, 1},
		"200 with an empty body":           {tctest.Raw(http.StatusOK, "application/json", ""), "ClientError.ParseJsonError", 1, 1},
		"success without a content type":   {tctest.Success(nil).With("Content-Type", ""), "", 1, 1},
		"throttled without a content type": {tctest.Answer{Code: "RequestLimitExceeded", Header: http.Header{"Content-Type": nil}}, "RequestLimitExceeded", 4, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("*", row.answer.Forever()))
				client := newCVM(t, newTransport(t, api.RoundTripper()))

				for _, err := range []error{describeInstances(client), runInstances(client, "")} {
					if row.wantCode == "" {
						require.NoError(t, err)
					} else {
						assert.Equal(t, row.wantCode, requireSDKError(t, err).GetCode())
					}
				}
				assert.Equal(t, row.wantReads, api.Count("DescribeInstances"))
				assert.Equal(t, row.wantRuns, api.Count("RunInstances"))
			})
		})
	}
}

func nestedFailure(code string) any {
	return map[string]any{"Error": map[string]any{"Code": code, "Message": "of something else"}}
}

func TestSDK_RetryBudgetIsForFaultsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("*", tctest.Fail("InternalError"), tctest.Fail("RequestLimitExceeded").Times(3)))
		var ended endings
		client := newCVM(t, newTransport(t, api.RoundTripper(), tencenthttp.WithRetryBudget(0, 0), ended.option()))

		assert.Equal(t, "InternalError", requireSDKError(t, describeInstances(client)).GetCode())
		assert.Equal(t, 1, api.Count())
		require.NoError(t, describeInstances(client))
		assert.Equal(t, 1+4, api.Count())
		assert.Equal(t, endings{tencenthttp.ReasonBudgetEmpty, tencenthttp.ReasonSuccess}, ended)
	})
}
