package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	browserlog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/status"
)

// observed is what a browser did with the page.
type observed struct {
	mu       sync.Mutex
	loads    int
	requests []string
	problems []string // on the console: errors, and violations of the policy
}

func (o *observed) note(event any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch event := event.(type) {
	case *page.EventLoadEventFired:
		o.loads++
	case *network.EventRequestWillBeSent:
		o.requests = append(o.requests, event.Request.URL)
	case *browserlog.EventEntryAdded:
		o.problems = append(o.problems, string(event.Entry.Level)+": "+event.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		o.problems = append(o.problems, "console: "+string(event.Type))
	case *runtime.EventExceptionThrown:
		o.problems = append(o.problems, "exception: "+event.ExceptionDetails.Text)
	}
}

// newBrowser starts Debian's chromium, which lasts as long as the test.
func newBrowser(t *testing.T) (context.Context, *observed) {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program(t, "chromium")), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU, // as root, on a machine without a screen
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	seen := new(observed)
	require.NoError(t, chromedp.Listen(ctx, seen.note))
	return ctx, seen
}

func TestPage_InARealBrowser(t *testing.T) {
	t.Parallel()
	ctx, seen := newBrowser(t)
	address := example.URL + "/debug/tencenthttp"
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(address)))

	assert.Eventually(t, func() bool { // it loads itself every two seconds
		seen.mu.Lock()
		defer seen.mu.Unlock()
		return seen.loads >= 3
	}, 60*time.Second, 100*time.Millisecond, "it refreshes itself")

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(address+"?refresh=0")))
	names := evaluate[string](ctx, t, `[...document.querySelectorAll("h3")].map(e => e.textContent).join()`)
	colour := evaluate[string](ctx, t, `getComputedStyle(document.querySelector("path.ok")).fill`)
	height := evaluate[string](ctx, t, `getComputedStyle(document.querySelector("article svg")).height`)
	for _, l := range loads {
		assert.Contains(t, names, l.service+" "+l.action)
	}
	assert.NotEqual(t, "rgb(0, 0, 0)", colour, "the policy lets the style pass")
	assert.NotEqual(t, "0px", height)

	for _, width := range []int64{320, 375, 768} {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)))
		overflow := evaluate[float64](ctx, t, `document.documentElement.scrollWidth - window.innerWidth`)
		assert.LessOrEqual(t, overflow, 0.0, "a page %d wide does not scroll sideways", width)
	}

	seen.mu.Lock()
	defer seen.mu.Unlock()
	assert.Empty(t, seen.problems)
	host, err := url.Parse(example.URL)
	require.NoError(t, err)
	for _, request := range seen.requests {
		if strings.HasPrefix(request, "data:") {
			continue
		}
		got, err := url.Parse(request)
		require.NoError(t, err)
		assert.Equal(t, host.Host, got.Host, request)
	}
}

func evaluate[T any](ctx context.Context, t *testing.T, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(t, err)
	return value
}

func TestPage_AsJSON(t *testing.T) {
	t.Parallel()
	body, err := get(t.Context(), example.URL+"/debug/tencenthttp", "application/json")
	require.NoError(t, err)
	var snapshot status.Snapshot
	require.NoError(t, json.Unmarshal(body, &snapshot))
	assert.Equal(t, 10.0, snapshot.Step)
}
