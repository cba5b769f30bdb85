package policy

import (
	"context"
	"errors"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tcerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// newSDK returns Tencent Cloud's own SDK with its own retries, which it makes for throttles and, if the request has a ClientToken, for
// network failures. It never retries an InternalError or a 503.
func newSDK(s Spec, site sim.Site) (sim.Client, error) {
	delays := newJitter(s.Rules, site.Seed)
	duration := func(retry int) time.Duration { return delays.delay(retry + 1) }
	settings := profile.NewClientProfile()
	settings.RateLimitExceededMaxRetries, settings.RateLimitExceededRetryDuration = s.Attempts-1, duration
	settings.NetworkFailureMaxRetries, settings.NetworkFailureRetryDuration = s.Attempts-1, duration
	client := common.NewCommonClient(common.NewCredential("AKIDstorm", "key"), "ap-guangzhou", settings).
		WithHttpTransport(guarded(site.Base, s.Rules))
	return explained(func(ctx context.Context) error {
		request := &sdkRequest{BaseRequest: new(tchttp.BaseRequest).Init().WithApiInfo("cvm", "2017-03-12", "DescribeInstances")}
		request.SetContext(ctx)
		err := client.Send(request, &struct{ *tchttp.BaseResponse }{new(tchttp.BaseResponse)})
		return sdkError(ctx, err)
	}), nil
}

// sdkRequest is as the SDK's generated requests are that have a ClientToken.
type sdkRequest struct {
	*tchttp.BaseRequest
	ClientToken *string `json:"ClientToken,omitempty"`
}

// sdkError makes of the SDK's error the one that the others return.
func sdkError(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	if failure, ok := errors.AsType[*tcerrors.TencentCloudSDKError](err); ok && failure.Unwrap() == nil {
		return &sim.Failure{Code: failure.Code}
	}
	return err
}
