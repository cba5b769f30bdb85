package tencenthttp

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEndpoint_WithoutABreaker(t *testing.T) {
	e := newEndpoint(endpointKey{"cvm.tencentcloudapi.com", ""}, &config{noBreaker: true}, time.Now())
	closed, left := e.look()
	assert.True(t, closed)
	assert.Zero(t, left)
	tell(t, e, 100, errFault)
	closed, _ = e.look()
	assert.True(t, closed)
	assert.Empty(t, e.pendingChanges())
	assert.False(t, e.holds())
	assert.True(t, e.idle(time.Now()))
}

func TestEndpoint_PendingChangesNameTheEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := endpointWith(BreakerSettings{MinCalls: 1, OpenFor: 3 * time.Second})
		assert.Empty(t, e.pendingChanges())
		tell(t, e, 1, errFault)
		time.Sleep(3*time.Second + 1)
		tell(t, e, 1, nil)
		const host, region = "cvm.tencentcloudapi.com", "ap-guangzhou"
		assert.Equal(t, []BreakerChangeInfo{
			{Host: host, Region: region, From: gobreaker.StateClosed, To: gobreaker.StateOpen, OpenFor: 3 * time.Second},
			{Host: host, Region: region, From: gobreaker.StateOpen, To: gobreaker.StateHalfOpen},
			{Host: host, Region: region, From: gobreaker.StateHalfOpen, To: gobreaker.StateClosed},
		}, e.pendingChanges())
		assert.Empty(t, e.pendingChanges(), "each is told once")
	})
}

func TestEndpoint_Idle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := endpointWith(BreakerSettings{MinCalls: 1})
		assert.True(t, e.idle(time.Now()))
		tell(t, e, 1, errFault)
		assert.False(t, e.idle(time.Now()), "open")
		time.Sleep(5 * time.Second)
		assert.False(t, e.idle(time.Now()), "still open")
		time.Sleep(1)
		assert.True(t, e.idle(time.Now()), "nobody is refused any more")
		ticket, ok := e.allow()
		require.True(t, ok)
		ticket.report(nil)
		assert.True(t, e.idle(time.Now()))
	})
}

func TestTicket_ReportsOnce(t *testing.T) {
	e := endpointWith(BreakerSettings{MinCalls: 3})
	ticket, ok := e.allow()
	require.True(t, ok)
	for range 10 {
		ticket.report(errFault)
	}
	assert.Equal(t, gobreaker.StateClosed, stateOf(e), "C37")
	assert.EqualValues(t, 1, e.breaker.gate.Counts().TotalFailures)
}
