package tencenthttp

import (
	"sync"
	"time"
)

// budgetWindow is how many seconds of calls a budget remembers.
const budgetWindow = 10

// retryBudget is what WithRetryBudget sets.
type retryBudget struct {
	ratio, minPerSecond float64
	off                 bool
}

// budget bounds the retries of faults at one endpoint: of any ten seconds' attempts no more may be such retries than a share of
// the calls of these ten seconds and a fixed number for each second. A service that fails every call would otherwise be sent
// MaxAttempts times its load just when it can bear it least.
//
// It counts the calls without a bound as well, for the pace after an outage.
type budget struct {
	retryBudget
	epoch time.Time

	mu    sync.Mutex
	slots [budgetWindow]budgetSlot
}

// budgetSlot counts one second.
type budgetSlot struct {
	second         int64
	calls, retries int
}

func newBudget(settings retryBudget, now time.Time) *budget {
	return &budget{retryBudget: settings, epoch: now}
}

// slot returns the count of the second that now is in.
func (b *budget) slot(now time.Time) *budgetSlot {
	second := max(0, int64(now.Sub(b.epoch)/time.Second)) // another call may have made the budget a moment later
	slot := &b.slots[second%budgetWindow]
	if slot.second < second { // a call that was held up does not wipe out what came after it
		*slot = budgetSlot{second: second}
	}
	return slot
}

// sum adds up the slots that are not over.
func (b *budget) sum(now time.Time) (calls, retries int) {
	oldest := int64(now.Sub(b.epoch)/time.Second) - budgetWindow
	for _, slot := range b.slots {
		if slot.second > oldest {
			calls += slot.calls
			retries += slot.retries
		}
	}
	return calls, retries
}

// call counts a call that begins.
func (b *budget) call(now time.Time) {
	b.mu.Lock()
	b.slot(now).calls++
	b.mu.Unlock()
}

// allows tells whether one more retry is within the budget.
func (b *budget) allows(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.allowsLocked(now)
}

func (b *budget) allowsLocked(now time.Time) bool {
	if b.off {
		return true
	}
	calls, retries := b.sum(now)
	return float64(retries+1) <= b.ratio*float64(calls)+b.minPerSecond*budgetWindow
}

// spend counts a retry and returns true, or returns false if it is not within the budget.
func (b *budget) spend(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.allowsLocked(now) {
		return false
	}
	b.slot(now).retries++
	return true
}

// callRate returns the calls per second of the last ten seconds.
func (b *budget) callRate(now time.Time) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls, _ := b.sum(now)
	return float64(calls) / min(budgetWindow, max(1, now.Sub(b.epoch).Seconds()))
}
