// Dashboard runs a storm of calls against a fake Tencent Cloud, and shows what the transport makes of it: the status page at
// /debug/tencenthttp and metrics for Prometheus at /metrics. Everything is on loopback.
//
//	go run -C examples/dashboard .
//
// To see it in Grafana, let a Prometheus scrape /metrics with the rules of observability/alerts.yaml, and import observability/grafana.json.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "where to serve the page and the metrics")
	cycle := flag.Duration("cycle", time.Minute, "how long it takes until the same troubles come again")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, *cycle); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

// run serves until the context ends.
func run(ctx context.Context, listen string, cycle time.Duration) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	d, err := newDashboard(cycle, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	defer d.close()
	server := &http.Server{Handler: d.handler, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	fmt.Printf("http://%v/debug/tencenthttp and http://%v/metrics; Ctrl-C ends it\n", listener.Addr(), listener.Addr())
	go d.storm(ctx)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
