package tencenthttp

import (
	"time"

	"golang.org/x/time/rate"
)

// bucket is the tokens of one target: a rate.Limiter that nobody waits in. The limiter's own reservations are no use for waiting:
// one made ahead keeps the old rate when the rate changes, and cannot be returned once its time has come.
//
// It is guarded by its owner's mutex. Its times must be taken under that mutex: a rate.Limiter that is told an earlier time than
// before counts what lies between twice.
type bucket struct{ limiter *rate.Limiter }

func newBucket(limit rate.Limit, burst int) *bucket {
	return &bucket{rate.NewLimiter(limit, burst)}
}

// take spends a token if there is one.
func (b *bucket) take(now time.Time) bool { return b.limiter.AllowN(now, 1) }

// spend spends a token even if there is none, so that the next one comes later.
func (b *bucket) spend(now time.Time) { b.limiter.ReserveN(now, 1) }

// giveBack returns a token that was taken and not used, unless the bucket is full again: it must never hold more than its burst.
// Of a token whose time has come Reservation.Cancel returns nothing, so it is spent backwards.
func (b *bucket) giveBack(now time.Time) { b.limiter.ReserveN(now, -1) }

// drain spends all tokens that are there: the service has just said that there are none.
func (b *bucket) drain(now time.Time) {
	if spare := int(b.limiter.TokensAt(now)); spare > 0 {
		b.limiter.AllowN(now, spare)
	}
}

// until returns how long it takes until n tokens are there.
func (b *bucket) until(n int, now time.Time) time.Duration {
	missing := float64(n) - b.limiter.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	seconds := missing / float64(b.limiter.Limit())
	if seconds >= endless.Seconds() {
		return endless
	}
	// Never zero: the limiter's own rounding may leave it a hair short of the token.
	return max(time.Microsecond, time.Duration(seconds*float64(time.Second)))
}

// endless stands for a wait without a foreseeable end; it is far from overflowing a time.Duration.
const endless = 100 * 365 * 24 * time.Hour

// full tells whether the bucket has forgotten every token that was ever spent.
func (b *bucket) full(now time.Time) bool {
	return b.limiter.TokensAt(now) >= float64(b.limiter.Burst())
}
