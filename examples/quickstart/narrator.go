package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/tencenthttp/tencenthttp"
)

// narrator prints what happens as it happens. The transport's hooks feed it.
type narrator struct {
	w      io.Writer
	colour bool
	start  time.Time

	mu   sync.Mutex
	seen map[string]int // how often a line of that kind has come up in this act
}

func newNarrator(w io.Writer) *narrator {
	return &narrator{w: w, colour: wantsColour(w), start: time.Now()}
}

// wantsColour tells whether w is a terminal whose user has not said no (https://no-color.org).
func wantsColour(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// style is an escape sequence of ANSI terminals.
type style string

const (
	bold  style = "1"
	faint style = "2"
	red   style = "31"
	green style = "32"
)

func (n *narrator) paint(s style, text string) string {
	if !n.colour {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

func (n *narrator) printf(format string, args ...any) { fmt.Fprintf(n.w, format, args...) }

func (n *narrator) title(number int, s scene) {
	n.printf("\n%s\n", n.paint(bold, fmt.Sprintf("%d. %s", number, s.title)))
}

// begin announces an act.
func (n *narrator) begin(a act) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen = make(map[string]int)
	n.printf("\n   %s: the service %s\n", a.call, a.service)
}

// result says what came of an act on one side.
func (n *narrator) result(side string, o outcome) {
	n.printf("   %-8s %s, %d on the wire, %s\n", side, n.paint(o.colour(), o.returned), o.wire, human(o.took))
	if err := o.lastError(); err != nil && side == "with" {
		n.printf("%s\n", n.paint(faint, indent(err.Error())))
	}
}

// end ends an act.
func (n *narrator) end(a act) {
	if a.moral != "" {
		n.printf("   %s\n", n.paint(bold, "=> "+a.moral))
	}
}

// farewell ends the run.
func (n *narrator) farewell(problem error) {
	if problem == nil {
		n.printf("\n%s\n", n.paint(green, fmt.Sprintf("Everything came out as it says, in %s.", human(time.Since(n.start)))))
	}
}

// hooks are the functions that the transport calls.
func (n *narrator) hooks() tencenthttp.Hooks {
	return tencenthttp.Hooks{
		Retry: func(_ context.Context, info tencenthttp.RetryInfo) {
			n.line("retry", info.Target.Action, what(info.Code, info.StatusCode, info.Err)+", again "+after(info.Delay))
		},
		ClockSkew: func(_ context.Context, info tencenthttp.ClockSkewInfo) {
			n.line("clock", info.Target.Action, skew(info.Offset))
		},
		BreakerChange: func(_ context.Context, info tencenthttp.BreakerChangeInfo) {
			text := fmt.Sprintf("breaker of %s in %s: %v", info.Host, info.Region, info.To)
			if info.OpenFor > 0 {
				text += " for " + human(info.OpenFor)
			}
			n.line("breaker", "", text)
		},
		Done: func(_ context.Context, info tencenthttp.DoneInfo) {
			n.line(string(info.Reason), info.Target.Action, ending(info))
		},
	}
}

// line prints a line, unless the same kind of news was told often enough.
func (n *narrator) line(kind, action, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen[kind]++
	switch count := n.seen[kind]; {
	case count <= 8:
	case count%20 == 0:
		text += fmt.Sprintf(" (number %d)", count)
	default:
		return
	}
	elapsed := fmt.Sprintf("%6.3f s", time.Since(n.start).Seconds())
	n.printf("      %s  %-22s %s\n", n.paint(faint, elapsed), action, text)
}

// ending says how a call ended.
func ending(info tencenthttp.DoneInfo) string {
	switch {
	case info.Reason == tencenthttp.ReasonSuccess && info.Attempts == 1:
		return "ok"
	case info.Reason == tencenthttp.ReasonSuccess:
		return fmt.Sprintf("ok, with attempt %d", info.Attempts)
	case info.Attempts == 0:
		return fmt.Sprintf("not sent: %s, decided in %s", info.Reason, human(info.Elapsed))
	}
	return fmt.Sprintf("%s, not sent again: %s", what(info.Code, info.StatusCode, info.Err), info.Reason)
}

// skew says how far the service's clock is from ours.
func skew(offset time.Duration) string {
	switch rounded := offset.Round(time.Minute); { // the Date header knows no less than a second
	case rounded > 0:
		return fmt.Sprintf("the service's clock is %v ahead of ours: signed again", rounded)
	case rounded < 0:
		return fmt.Sprintf("the service's clock is %v behind ours: signed again", -rounded)
	}
	return "the service's clock agrees with ours: signed again"
}

// what says what came of an attempt.
func what(code string, status int, err error) string {
	switch {
	case err != nil:
		return "connection lost"
	case code != "":
		return code
	}
	return fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))
}

// human rounds a duration to what a person wants to know.
func human(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return "1 µs"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// after says when something happens that is due in so long.
func after(d time.Duration) string {
	if d <= 0 {
		return "at once"
	}
	return "in " + human(d)
}

// indent breaks a text into a few indented lines.
func indent(text string) string {
	const margin, width, most = "            ", 100, 3
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) <= width:
			*last += " " + word
		case len(lines) == most:
			*last += " ..."
			return margin + strings.Join(lines, "\n"+margin)
		default:
			lines = append(lines, word)
		}
	}
	return margin + strings.Join(lines, "\n"+margin)
}
