package tencenthttp

import (
	"context"
	"log/slog"

	"golang.org/x/time/rate"
)

// logHooks writes a line for each attempt, retry, refusal, change and unhappy end. No message, header, query or body is logged.
// Warnings of one kind about one target come once a second at most.
func logHooks(logger *slog.Logger) Hooks {
	log := &eventLog{logger: logger}
	return Hooks{
		Attempt: log.attempt, Retry: log.retry, Refusal: log.refusal,
		BreakerChange: log.breakerChange, RateChange: log.rateChange, ClockSkew: log.clockSkew, Done: log.done,
	}
}

// eventLog makes log lines of what happens.
type eventLog struct {
	logger *slog.Logger
	warned warnings
}

func (l *eventLog) attempt(ctx context.Context, info AttemptInfo) {
	if !l.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := append(targetAttrs(info.Target), outcomeAttrs(info)...)
	attrs = append(attrs, slog.Duration("latency", info.Latency))
	l.logger.LogAttrs(ctx, slog.LevelDebug, "tencenthttp: attempt", append(attrs, waitAttrs(info.Waits)...)...)
}

func (l *eventLog) retry(ctx context.Context, info RetryInfo) {
	if !l.logger.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := append(targetAttrs(info.Target), outcomeAttrs(info.AttemptInfo)...)
	l.logger.LogAttrs(ctx, slog.LevelInfo, "tencenthttp: retry", append(attrs,
		slog.Duration("delay", info.Delay), slog.String("reason", info.Verdict.words()))...)
}

func (l *eventLog) refusal(ctx context.Context, info RefusalInfo) {
	l.warn(ctx, info.Target, string(info.Reason), "tencenthttp: refusal", func() []slog.Attr {
		return append(targetAttrs(info.Target),
			slog.String("code", info.Code), slog.String("request_id", info.RequestID),
			slog.Int("attempt", info.Attempt), slog.Duration("delay", info.RetryAfter),
			slog.String("reason", string(info.Reason)), slog.String("because", info.Reason.explanation()),
		)
	})
}

func (l *eventLog) breakerChange(ctx context.Context, info BreakerChangeInfo) {
	endpoint := Target{Host: info.Host, Region: info.Region}
	l.warn(ctx, endpoint, "breaker "+info.To.String(), "tencenthttp: breaker change", func() []slog.Attr {
		return []slog.Attr{
			slog.String("host", info.Host), slog.String("region", info.Region),
			slog.String("from", info.From.String()), slog.String("to", info.To.String()),
			slog.Duration("delay", info.OpenFor),
		}
	})
}

func (l *eventLog) rateChange(ctx context.Context, info RateChangeInfo) {
	l.logger.LogAttrs(ctx, slog.LevelInfo, "tencenthttp: rate change", append(targetAttrs(info.Target),
		rateAttr("from", info.From), rateAttr("to", info.To), slog.String("cause", string(info.Cause)),
	)...)
}

func rateAttr(key string, limit rate.Limit) slog.Attr {
	if limit == rate.Inf {
		return slog.String(key, "unlimited")
	}
	return slog.Float64(key, float64(limit))
}

func (l *eventLog) clockSkew(ctx context.Context, info ClockSkewInfo) {
	l.warn(ctx, Target{Host: info.Host}, "clock skew", "tencenthttp: clock skew", func() []slog.Attr {
		return append(targetAttrs(info.Target), slog.String("clock", info.Host), slog.Duration("offset", info.Offset))
	})
}

// done says why a call was not sent again. Refusals have been told; a mistake of the caller's, or his cancel, is no news for a log
// of this level.
func (l *eventLog) done(ctx context.Context, info DoneInfo) {
	attrs := func() []slog.Attr {
		attrs := append(targetAttrs(info.Target),
			slog.String("code", info.Code), slog.String("request_id", info.RequestID),
			slog.Int("status", info.StatusCode), slog.Int("attempts", info.Attempts),
			slog.String("reason", string(info.Reason)), slog.String("because", info.Reason.explanation()),
			slog.Duration("elapsed", info.Elapsed),
		)
		return append(attrs, waitAttrs(info.Waits)...)
	}
	switch info.Reason {
	case ReasonSuccess:
	case ReasonFatal, ReasonCanceled:
		if l.logger.Enabled(ctx, slog.LevelDebug) {
			l.logger.LogAttrs(ctx, slog.LevelDebug, "tencenthttp: not retried", attrs()...)
		}
	default:
		if !info.Refused {
			l.warn(ctx, info.Target, "not retried: "+string(info.Reason), "tencenthttp: not retried", attrs)
		}
	}
}

// warn writes a warning, unless there was one of that kind about that target within the last second.
func (l *eventLog) warn(ctx context.Context, target Target, kind, message string, attrs func() []slog.Attr) {
	if !l.logger.Enabled(ctx, slog.LevelWarn) {
		return
	}
	left, ok := l.warned.may(warning{target, kind})
	if !ok {
		return
	}
	all := attrs()
	if left > 0 {
		all = append(all, slog.Uint64("left_out", left))
	}
	l.logger.LogAttrs(ctx, slog.LevelWarn, message, all...)
}

func targetAttrs(target Target) []slog.Attr {
	return []slog.Attr{
		slog.String("service", target.Service), slog.String("action", target.Action),
		slog.String("region", target.Region), slog.String("host", target.Host),
	}
}

// outcomeAttrs says what came of an attempt.
func outcomeAttrs(info AttemptInfo) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("code", info.Code), slog.String("request_id", info.RequestID),
		slog.Int("status", info.StatusCode), slog.Int("attempt", info.Attempt),
	}
	if info.Err != nil {
		attrs = append(attrs, slog.String("error", causeText(info.Err)))
	}
	return attrs
}

// waitAttrs names the waits that there were.
func waitAttrs(waits Waits) []slog.Attr {
	var attrs []slog.Attr
	for kind, wait := range waits.All() {
		attrs = append(attrs, slog.Duration(string(kind), wait))
	}
	return attrs
}
