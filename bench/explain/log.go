package explain

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
)

// Line is a line of the log.
type Line struct {
	Level   slog.Level
	Message string
	Reason  string
	LeftOut uint64
	Text    string // as slog.TextHandler writes it, but without the time; of warnings only
}

// recorder is a slog.Handler that keeps what a log of level Info would have.
type recorder struct{ teller *teller }

func (r *recorder) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler               { return r }
func (r *recorder) WithGroup(string) slog.Handler                    { return r }

// Handle implements slog.Handler.
func (r *recorder) Handle(ctx context.Context, record slog.Record) error {
	line := Line{Level: record.Level, Message: strings.TrimPrefix(record.Message, "tencenthttp: ")}
	record.Attrs(func(attr slog.Attr) bool {
		switch attr.Key {
		case "reason":
			line.Reason = attr.Value.String()
		case "left_out":
			line.LeftOut = attr.Value.Uint64()
		}
		return true
	})
	var err error
	if record.Level >= slog.LevelWarn {
		line.Text, err = textOf(ctx, record)
	}
	r.teller.mu.Lock()
	defer r.teller.mu.Unlock()
	r.teller.story.Log = append(r.teller.story.Log, line)
	return err
}

func textOf(ctx context.Context, record slog.Record) (string, error) {
	var text bytes.Buffer
	err := slog.NewTextHandler(&text, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}).Handle(ctx, record)
	return strings.TrimSpace(text.String()), err
}
