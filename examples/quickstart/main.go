// Quickstart shows what tencenthttp does for a program that uses the Tencent Cloud SDK. The SDK's real clients make the same calls
// twice, with the transport and without it, to a fake Tencent Cloud on this machine that throttles, fails and breaks down.
//
//	go run -C examples ./quickstart
//
// It needs no account, takes about ten seconds, and exits with status 1 if anything came out other than it says.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	dcdb "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/dcdb/v20180411"

	"github.com/tencenthttp/tencenthttp"
)

// newTransport makes the one transport that a process needs. A real program gives nil for base, and needs no option.
func newTransport(base http.RoundTripper, hooks tencenthttp.Hooks) (*tencenthttp.Transport, error) {
	return tencenthttp.NewTransport(base,
		// The quota is 20 a second. A little below it there is room for what the network delays.
		tencenthttp.WithActionRateLimit("DescribeDCDBInstances", 18, 5),
		// The default is 20 and 5 s: a demonstration has less time.
		tencenthttp.WithBreaker(tencenthttp.BreakerSettings{MinCalls: 10, OpenFor: 2 * time.Second}),
		// They tell what happens.
		tencenthttp.WithHooks(hooks),
	)
}

// newClients makes clients of the SDK, and hands the transport to each: that is all there is to do. The SDK has retries of its own,
// which NewClientProfile leaves off, and there they should stay.
func newClients(transport http.RoundTripper, key *common.Credential, region string) (*clients, error) {
	compute, err := cvm.NewClient(key, region, profile.NewClientProfile())
	if err != nil {
		return nil, err
	}
	compute.WithHttpTransport(transport)

	databases, err := dcdb.NewClient(key, region, profile.NewClientProfile())
	if err != nil {
		return nil, err
	}
	databases.WithHttpTransport(transport)
	return &clients{compute, databases}, nil
}

// clients are the SDK's, for one key and region.
type clients struct {
	cvm  *cvm.Client
	dcdb *dcdb.Client
}

func main() {
	if err := run(os.Stdout, scenes); err != nil {
		fmt.Fprintf(os.Stderr, "\nThis came out other than it should:\n%v\n", err)
		os.Exit(1)
	}
}

// run plays the scenes with and without the transport, and ends with the table. Its error says what came out other than expected.
func run(w io.Writer, scenes []scene) error {
	n := newNarrator(w)
	with, without, err := bothSides(n.hooks())
	if err != nil {
		return err
	}
	defer with.cloud.Close()
	defer without.cloud.Close()

	var rows []row
	var problems []error
	for i, scene := range scenes {
		n.title(i+1, scene)
		for _, act := range scene.acts {
			n.begin(act)
			r := row{act: act, with: act.play(with)}
			n.result("with", r.with)
			r.without = act.play(without)
			n.result("without", r.without)
			n.end(act)
			rows = append(rows, r)
			problems = append(problems, r.with.problem, r.without.problem)
		}
	}
	problems = append(problems, compareStats(with, rows))
	n.table(rows)
	n.farewell(errors.Join(problems...))
	return errors.Join(problems...)
}

// compareStats compares what the transports counted with what arrived at the service.
func compareStats(with *side, rows []row) error {
	var counted, arrived uint64
	for _, target := range append(with.transport.Stats(), with.signing.Stats()...) {
		counted += target.Attempts
	}
	for _, r := range rows {
		arrived += uint64(r.with.wire)
	}
	if counted != arrived {
		return fmt.Errorf("the transports counted %d attempts, but %d requests arrived", counted, arrived)
	}
	return nil
}
