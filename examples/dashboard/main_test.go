package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// The example runs once for all tests: a storm takes its time.
var (
	example *httptest.Server
	spans   = tracetest.NewSpanRecorder()
	log     lockedBuffer // of every level
)

// lockedBuffer may be read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestMain(m *testing.M) {
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d, err := newDashboard(8*time.Second, logger, trace.WithSpanProcessor(spans))
	if err != nil {
		panic(err)
	}
	example = httptest.NewServer(d.handler)
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		d.storm(ctx)
	}()
	code := m.Run()
	stop()
	<-over
	example.Close()
	d.close()
	os.Exit(code)
}

// program returns where a program of Debian's is.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	require.NoError(t, err, "this test needs %s: run .ci/packages %s, or install it yourself", name, name)
	return path
}

// get returns the body of an answer with status 200.
func get(ctx context.Context, url, accept string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

func TestRun_ServesUntilItIsTold(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, run(ctx, "127.0.0.1:0", time.Minute))
	require.Error(t, run(t.Context(), "127.0.0.1:-1", time.Minute))
}

// The calls are signed, and say what nobody else must. Nothing of that is in any span, metric, log line, page or JSON.
func TestDashboard_C41_NoSecretIsSeenAnywhere(t *testing.T) {
	t.Parallel()
	require.Eventually(t, func() bool {
		return strings.Contains(log.String(), "not retried") && len(spans.Ended()) > 500
	}, 60*time.Second, 100*time.Millisecond)
	seen := map[string]string{"log": log.String()}
	var all strings.Builder
	for _, span := range spans.Ended() {
		fmt.Fprintln(&all, span.Name(), span.Status(), span.Attributes(), span.Events(), span.Resource())
	}
	seen["spans"] = all.String()
	for path, accept := range map[string]string{"/debug/tencenthttp": "text/html", "/debug/tencenthttp?": "application/json", "/metrics": "application/openmetrics-text"} {
		body, err := get(t.Context(), example.URL+path, accept)
		require.NoError(t, err)
		seen[path+" "+accept] = string(body)
	}
	for source, text := range seen {
		assert.Contains(t, text, "DescribeInstances", source)
		for _, secret := range []string{secretID, secretKey, "AKID", "TC3", "Signature=", "Password", "known to nobody"} {
			assert.False(t, strings.Contains(text, secret), "%s: %s", source, secret)
		}
	}
}
