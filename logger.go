package tencenthttp

import (
	"context"
	"log/slog"

	"github.com/sony/gobreaker/v2"
)

// logHooks writes a line for each retry, refusal and breaker change. What is fine is not logged, and no message, header, query or body is.
func logHooks(logger *slog.Logger) Hooks {
	return Hooks{
		Retry: func(ctx context.Context, info RetryInfo) {
			attrs := append(targetAttrs(info.Target),
				slog.String("code", info.Code), slog.String("request_id", info.RequestID),
				slog.Int("status", info.StatusCode),
				slog.Int("attempt", info.Attempt), slog.Duration("delay", info.Delay),
				slog.String("reason", retryReason(info)),
			)
			if info.Err != nil {
				attrs = append(attrs, slog.String("error", causeText(info.Err)))
			}
			logger.LogAttrs(ctx, slog.LevelInfo, "tencenthttp: retry", attrs...)
		},
		Refusal: func(ctx context.Context, info RefusalInfo) {
			logger.LogAttrs(ctx, slog.LevelWarn, "tencenthttp: refusal", append(targetAttrs(info.Target),
				slog.String("code", info.Code), slog.String("request_id", info.RequestID),
				slog.Int("attempt", info.Attempt), slog.Duration("delay", info.RetryAfter),
				slog.String("reason", string(info.Reason)),
			)...)
		},
		BreakerChange: func(ctx context.Context, info BreakerChangeInfo) {
			level := slog.LevelWarn
			if info.To == gobreaker.StateClosed {
				level = slog.LevelInfo
			}
			logger.LogAttrs(ctx, level, "tencenthttp: breaker change",
				slog.String("host", info.Host), slog.String("region", info.Region),
				slog.String("from", info.From.String()), slog.String("to", info.To.String()),
				slog.Duration("delay", info.OpenFor),
			)
		},
	}
}

func targetAttrs(target Target) []slog.Attr {
	return []slog.Attr{
		slog.String("service", target.Service), slog.String("action", target.Action),
		slog.String("region", target.Region), slog.String("host", target.Host),
	}
}

// retryReason says in a word what was wrong with the attempt.
func retryReason(info RetryInfo) string {
	switch {
	case info.Verdict.Throttled:
		return "throttled"
	case info.Verdict.Fault:
		return "fault"
	}
	return info.Verdict.Class.String()
}
