package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The example runs once for all tests: a storm takes its time.
var example *httptest.Server

func TestMain(m *testing.M) {
	d, err := newDashboard(8*time.Second, slog.New(slog.DiscardHandler))
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
