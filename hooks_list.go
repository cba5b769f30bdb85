package tencenthttp

import "context"

// hookList calls the hooks of every WithHooks and WithLogger, in their order.
type hookList []Hooks

func (l hookList) attempt(ctx context.Context, info AttemptInfo) {
	for _, h := range l {
		if h.Attempt != nil {
			h.Attempt(ctx, info)
		}
	}
}

func (l hookList) retry(ctx context.Context, info RetryInfo) {
	for _, h := range l {
		if h.Retry != nil {
			h.Retry(ctx, info)
		}
	}
}

func (l hookList) refusal(ctx context.Context, info RefusalInfo) {
	for _, h := range l {
		if h.Refusal != nil {
			h.Refusal(ctx, info)
		}
	}
}

func (l hookList) breakerChange(ctx context.Context, info BreakerChangeInfo) {
	for _, h := range l {
		if h.BreakerChange != nil {
			h.BreakerChange(ctx, info)
		}
	}
}

func (l hookList) clockSkew(ctx context.Context, info ClockSkewInfo) {
	for _, h := range l {
		if h.ClockSkew != nil {
			h.ClockSkew(ctx, info)
		}
	}
}

func (l hookList) done(ctx context.Context, info DoneInfo) {
	for _, h := range l {
		if h.Done != nil {
			h.Done(ctx, info)
		}
	}
}

func (l hookList) install(t *Transport) {
	for _, h := range l {
		if h.Install != nil {
			h.Install(t)
		}
	}
}

func (l hookList) start(ctx context.Context, info StartInfo) context.Context {
	for _, h := range l {
		if h.Start != nil {
			ctx = h.Start(ctx, info)
		}
	}
	return ctx
}

func (l hookList) send(ctx context.Context, info SendInfo) context.Context {
	for _, h := range l {
		if h.Send != nil {
			ctx = h.Send(ctx, info)
		}
	}
	return ctx
}
