package bench

import (
	"context"
	"net/http"

	"github.com/tencenthttp/tencenthttp"
)

// ours returns the contender that is this project with these options.
func ours(name string, opts ...tencenthttp.Option) contender {
	return contender{name: name, retries: true, wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
		return tencenthttp.NewTransport(base, opts...)
	}}
}

// unbinding is a limit that is kept but never holds a call up.
func unbinding() tencenthttp.Option {
	return tencenthttp.WithRateLimit(1e9, 1e6)
}

// everyHook hangs a hook on whatever a call can meet.
func everyHook() tencenthttp.Option {
	return tencenthttp.WithHooks(tencenthttp.Hooks{
		Attempt:       func(context.Context, tencenthttp.AttemptInfo) {},
		Retry:         func(context.Context, tencenthttp.RetryInfo) {},
		Refusal:       func(context.Context, tencenthttp.RefusalInfo) {},
		BreakerChange: func(context.Context, tencenthttp.BreakerChangeInfo) {},
		Done:          func(context.Context, tencenthttp.DoneInfo) {},
	})
}
