package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// scene is a situation that a program gets into.
type scene struct {
	title string
	acts  []act
}

// act is one call or several alike, and what must come of them. Both sides play it.
type act struct {
	call    string        // who is called, for the table
	service string        // what the service does, for the table
	prepare func(s *side) // may be nil
	perform func(s *side) []error

	without, with want
	check         func(s *side, o outcome) error // what the two cannot say; may be nil

	moral string // what is to be seen
}

// want is what must come of an act on one side.
type want struct {
	wire     int    // requests that arrive
	returned string // what the SDK returns, as summary says it; empty if only check knows
}

// outcome is what came of an act on one side.
type outcome struct {
	errs     []error // what the SDK returned for each call
	returned string  // the same in few words
	wire     int     // requests that arrived, by the service's own record
	calls    []tctest.Call
	took     time.Duration
	problem  error // what is not as expected
}

// play performs the act on one side and compares what came of it with what was expected.
func (a act) play(s *side) outcome {
	s.cloud.ClearScripts() // what the act before has left over: without retries, fewer failures are met
	if a.prepare != nil {
		a.prepare(s)
	}
	s.cloud.ResetCalls()
	start := time.Now()
	o := outcome{errs: a.perform(s)}
	o.took = time.Since(start)
	o.returned, o.wire, o.calls = summary(o.errs), s.cloud.Count(), s.cloud.Calls()
	o.problem = a.judge(s, o)
	return o
}

func (a act) judge(s *side, o outcome) error {
	side, expected := "without", a.without
	if s.transport != nil {
		side, expected = "with", a.with
	}
	var problem error
	if expected.returned != "" && (o.returned != expected.returned || o.wire != expected.wire) {
		problem = fmt.Errorf("%s after %d requests, not %s after %d", o.returned, o.wire, expected.returned, expected.wire)
	}
	if a.check != nil {
		problem = errors.Join(problem, a.check(s, o))
	}
	if problem != nil {
		return fmt.Errorf("%s (the service %s), %s the transport: %w", a.call, a.service, side, problem)
	}
	return nil
}

// inTurn makes n calls, one after the other.
func inTurn(n int, call func() error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = call()
	}
	return errs
}

// atOnce makes n calls at the same time.
func atOnce(n int, call func() error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = call() })
	}
	wg.Wait()
	return errs
}

// summary says what the SDK returned, such as "2 ok, 3 InternalError".
func summary(errs []error) string {
	if len(errs) == 1 {
		return label(errs[0])
	}
	counts := make(map[string]int)
	for _, err := range errs {
		counts[label(err)]++
	}
	var parts []string
	if n := counts["ok"]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d ok", n))
		delete(counts, "ok")
	}
	for _, label := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[label], label))
	}
	return strings.Join(parts, ", ")
}

// label says in a word what the SDK returned for a call.
func label(err error) string {
	if err == nil {
		return "ok"
	}
	if errors.Is(err, tencenthttp.ErrBreakerOpen) {
		return "ErrBreakerOpen"
	}
	if failure, ok := errors.AsType[*tcerr.TencentCloudSDKError](err); ok {
		return failure.Code
	}
	return err.Error()
}

// count returns how many calls got what the label says.
func (o outcome) count(what string) int {
	n := 0
	for _, err := range o.errs {
		if label(err) == what {
			n++
		}
	}
	return n
}

// lastError returns what the SDK returned for the last call.
func (o outcome) lastError() error { return o.errs[len(o.errs)-1] }
