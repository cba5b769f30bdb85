package sim

import (
	"context"
	"sync"
	"time"

	"github.com/tencenthttp/tencenthttp/tctest"
)

// call is one try of a caller to get an answer.
type call struct {
	process    int
	begun, end time.Duration
	err        error
}

// wire is one request that reached the service.
type wire struct {
	sent, answered     time.Duration
	accepted, throttle bool
}

// journal notes what happens in a run.
type journal struct {
	start time.Time

	mu    sync.Mutex
	calls []call
	wires []wire
}

// attempt makes a call and notes it. It returns whether the call succeeded.
func (j *journal) attempt(ctx context.Context, client Client, process int) bool {
	c := call{process: process, begun: time.Since(j.start)}
	c.err = client(ctx)
	c.end = time.Since(j.start)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls = append(j.calls, c)
	return c.err == nil
}

// arrived notes a request. It is an OnCall.
func (j *journal) arrived(c tctest.Call) {
	sent := c.Time.Sub(j.start)
	w := wire{sent: sent, answered: sent + c.Took}
	if c.Outcome == tctest.Answered {
		w.accepted = c.Status == 200 && c.Code == ""
		w.throttle = c.Code == throttled
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.wires = append(j.wires, w)
}

// throttled is the code of a call over its quota.
const throttled = "RequestLimitExceeded"
