package tencenthttp

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBreakerSettings_ZeroFieldsAreTheDefaults(t *testing.T) {
	defaults := BreakerSettings{}.withDefaults()
	assert.Less(t, defaults.Rand(), 1.0)
	defaults.Rand = nil
	assert.Equal(t, BreakerSettings{
		FailureRatio: 0.5, MinCalls: 20, Window: 10 * time.Second, OpenFor: 5 * time.Second, Probes: 1,
	}, defaults)
	own := BreakerSettings{FailureRatio: 1, MinCalls: 1, Window: time.Second, OpenFor: time.Second, Probes: 9, HoldFor: time.Second}
	again := own.withDefaults()
	again.Rand = nil
	assert.Equal(t, own, again)
	assert.InDelta(t, 0.25, BreakerSettings{Rand: func() float64 { return 0.25 }}.withDefaults().Rand(), 0)
}

func TestOutcomeOf(t *testing.T) {
	for _, tt := range []struct {
		name     string
		verdict  Verdict
		answered bool
		want     error
	}{
		{"success", Verdict{}, true, nil},
		{"fault", Verdict{Class: ClassRetryable, Fault: true}, true, errFault},
		{"fault without an answer", Verdict{Class: ClassIdempotent, Fault: true}, false, errFault},
		{"fault and throttle", Verdict{Fault: true, Throttled: true}, true, errFault},
		{"throttle", Verdict{Class: ClassRetryable, Throttled: true}, true, errNeutral},
		{"an answer with neither is a sign of health", Verdict{Class: ClassFatal}, true, nil},
		{"busy too", Verdict{Class: ClassRetryable}, true, nil},
		{"an error with neither is neutral", Verdict{Class: ClassFatal}, false, errNeutral},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, outcomeOf(tt.verdict, tt.answered)) })
	}
}

// endpointWith returns an endpoint with that breaker.
func endpointWith(settings BreakerSettings) *endpoint {
	return newEndpoint(endpointKey{"cvm.tencentcloudapi.com", "ap-guangzhou"}, &config{breaker: settings.exactly()}, time.Now())
}

// tell lets n attempts through and reports their outcome.
func tell(t *testing.T, e *endpoint, n int, outcome error) {
	t.Helper()
	for range n {
		ticket, ok := e.allow()
		require.True(t, ok)
		ticket.report(outcome)
	}
}

func stateOf(e *endpoint) gobreaker.State { return gobreaker.State(e.breaker.state.Load()) }

func TestBreaker_TripsOnlyOnJudgedCalls(t *testing.T) {
	for _, tt := range []struct {
		name                     string
		settings                 BreakerSettings
		healthy, neutral, faults int
		want                     gobreaker.State
	}{
		{"too few", BreakerSettings{}, 0, 0, 19, gobreaker.StateClosed},
		{"enough", BreakerSettings{}, 0, 0, 20, gobreaker.StateOpen},
		{"half", BreakerSettings{}, 10, 0, 10, gobreaker.StateOpen},
		{"less than half", BreakerSettings{}, 11, 0, 10, gobreaker.StateClosed},
		{"neutral ones do not make enough", BreakerSettings{}, 0, 1000, 19, gobreaker.StateClosed},
		{"neutral ones do not dilute", BreakerSettings{}, 0, 1000, 20, gobreaker.StateOpen},
		{"only all", BreakerSettings{FailureRatio: 1, MinCalls: 3}, 1, 0, 100, gobreaker.StateClosed},
		{"the first", BreakerSettings{FailureRatio: 1, MinCalls: 1}, 0, 5, 1, gobreaker.StateOpen},
		{"a shortest window", BreakerSettings{Window: 1, MinCalls: 1}, 0, 0, 1, gobreaker.StateOpen},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := endpointWith(tt.settings)
				tell(t, e, tt.neutral, errNeutral)
				tell(t, e, tt.healthy, nil)
				tell(t, e, tt.faults, errFault)
				assert.Equal(t, tt.want, stateOf(e))
			})
		})
	}
	t.Run("those under way do not count", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := endpointWith(BreakerSettings{FailureRatio: 0.1})
			for range 100 {
				_, ok := e.allow()
				require.True(t, ok)
			}
			tell(t, e, 19, errFault)
			assert.Equal(t, gobreaker.StateClosed, stateOf(e))
			tell(t, e, 1, errFault)
			assert.Equal(t, gobreaker.StateOpen, stateOf(e))
		})
	})
}

func TestBreaker_WindowRolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := endpointWith(BreakerSettings{})
		for range 40 { // 19 within any ten seconds, whichever ten: no block that begins anew hides them
			tell(t, e, 9, errFault)
			time.Sleep(5500 * time.Millisecond)
		}
		assert.Equal(t, gobreaker.StateClosed, stateOf(e))

		tell(t, e, 10, errFault)
		time.Sleep(8 * time.Second)
		tell(t, e, 10, errFault)
		assert.Equal(t, gobreaker.StateOpen, stateOf(e), "20 within 8 s, wherever a block would begin")
	})
}

func TestBreaker_SaysHowLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := endpointWith(BreakerSettings{MinCalls: 1, OpenFor: 5 * time.Second})
		closed, left := e.look()
		assert.True(t, closed)
		assert.Zero(t, left)

		tell(t, e, 1, errFault)
		_, left = e.look()
		assert.Equal(t, 5*time.Second+1, left)
		time.Sleep(2 * time.Second)
		closed, left = e.look()
		assert.False(t, closed)
		assert.Equal(t, 3*time.Second+1, left)
		_, ok := e.allow()
		assert.False(t, ok)

		time.Sleep(left)
		closed, left = e.look()
		assert.False(t, closed)
		assert.Zero(t, left, "somebody may try")
		ticket, ok := e.allow()
		require.True(t, ok, "when look says that one may try, one may")
		assert.True(t, ticket.probe)
		_, ok = e.allow()
		assert.False(t, ok, "one probe")
		assert.Equal(t, 5*time.Second, e.refusal(0).retryAfter/2, "until the next try at the latest, if the probe fails")
		ticket.report(nil)
		ticket.report(errFault) // C37: does not count
		closed, _ = e.look()
		assert.True(t, closed)
	})
}

func TestBreaker_C36_HalfOpen(t *testing.T) {
	halfOpen := func(t *testing.T, probes uint32) *endpoint {
		e := endpointWith(BreakerSettings{MinCalls: 1, Probes: probes})
		tell(t, e, 1, errFault)
		time.Sleep(5*time.Second + 1)
		return e
	}
	for _, tt := range []struct {
		name     string
		probes   uint32
		outcomes []error
		want     gobreaker.State
	}{
		{"one success", 1, []error{nil}, gobreaker.StateClosed},
		{"a fault", 1, []error{errFault}, gobreaker.StateOpen},
		{"neutral: the next one may try", 1, []error{errNeutral, errNeutral, errNeutral, nil}, gobreaker.StateClosed},
		{"not enough successes", 3, []error{nil, nil}, gobreaker.StateHalfOpen},
		{"enough", 3, []error{nil, nil, nil}, gobreaker.StateClosed},
		{"neutral ones do not count", 3, []error{nil, errNeutral, nil, errNeutral, nil}, gobreaker.StateClosed},
		{"a fault among them", 3, []error{nil, nil, errFault}, gobreaker.StateOpen},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := halfOpen(t, tt.probes)
				for _, outcome := range tt.outcomes {
					tell(t, e, 1, outcome)
				}
				assert.Equal(t, tt.want, stateOf(e))
			})
		})
	}
	t.Run("no more than Probes at a time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := halfOpen(t, 3)
			var tickets []ticket
			for range 3 {
				ticket, ok := e.allow()
				require.True(t, ok)
				tickets = append(tickets, ticket)
			}
			_, ok := e.allow()
			assert.False(t, ok)
			tickets[0].report(errNeutral)
			_, ok = e.allow()
			assert.True(t, ok, "its place is free again")
		})
	})
	t.Run("an attempt from before the outage does not close it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := endpointWith(BreakerSettings{MinCalls: 1})
			old, ok := e.allow()
			require.True(t, ok)
			tell(t, e, 1, errFault)
			old.report(nil)
			assert.Equal(t, gobreaker.StateOpen, stateOf(e))
			time.Sleep(5*time.Second + 1)
			_, ok = e.allow()
			require.True(t, ok)
			old.report(nil)
			assert.Equal(t, gobreaker.StateHalfOpen, stateOf(e))
		})
	})
}
