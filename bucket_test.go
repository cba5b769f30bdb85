package tencenthttp

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/time/rate"
)

// At 10 tokens a second, ticks are the moments at which one token more is there.
var (
	tick0 = time.Now()
	tick1 = tick0.Add(100 * time.Millisecond)
	tick2 = tick0.Add(200 * time.Millisecond)
	tick9 = tick0.Add(900 * time.Millisecond)
)

func TestBucket_TruthTable(t *testing.T) {
	const take, give, spend, drain = "take", "give", "spend", "drain"
	type move struct {
		at  time.Time
		do  string
		got bool // what take says
	}
	for _, tt := range []struct {
		name  string
		burst int
		moves []move
	}{
		{"one by one", 1, []move{
			{tick0, take, true},
			{tick0, take, false},
			{tick1, take, true},
			{tick1, take, false},
			{tick2, take, true},
		}},
		{"a burst, and not more after a pause", 2, []move{
			{tick0, take, true},
			{tick0, take, true},
			{tick0, take, false},
			{tick9, take, true},
			{tick9, take, true},
			{tick9, take, false},
		}},
		{"what is given back can be taken at once", 1, []move{
			{tick0, take, true},
			{tick0, give, true},
			{tick0, take, true},
			{tick0, take, false},
		}},
		{"C38: what is given back after a pause is no token more than the burst", 1, []move{
			{tick0, take, true},
			{tick9, give, true},
			{tick9, take, true},
			{tick9, take, false},
		}},
		{"C38: nor is what was given back before a pause", 2, []move{
			{tick0, take, true},
			{tick0, take, true},
			{tick0, give, true},
			{tick0, give, true},
			{tick9, take, true},
			{tick9, take, true},
			{tick9, take, false},
		}},
		{"a token spent ahead is missing later", 1, []move{
			{tick0, take, true},
			{tick0, spend, true},
			{tick1, take, false},
			{tick2, take, true},
		}},
		{"what is given back pays the debt first", 1, []move{
			{tick0, take, true},
			{tick0, spend, true},
			{tick0, spend, true},
			{tick0, give, true},
			{tick1, take, false},
			{tick2, take, true},
		}},
		{"drained", 3, []move{
			{tick0, drain, true},
			{tick0, take, false},
			{tick1, take, true},
			{tick1, drain, true}, // nothing to drain
			{tick2, take, true},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBucket(10, tt.burst)
			for i, m := range tt.moves {
				switch m.do {
				case take:
					assert.Equal(t, m.got, b.take(m.at), "move %d", i)
				case give:
					b.giveBack(m.at)
				case spend:
					b.spend(m.at)
				case drain:
					b.drain(m.at)
				}
			}
		})
	}
}

func TestBucket_Until(t *testing.T) {
	b := newBucket(10, 2)
	assert.Zero(t, b.until(2, tick0), "two are there")
	assert.True(t, b.full(tick0))
	assert.InDelta(t, 100*time.Millisecond, b.until(3, tick0), float64(time.Microsecond))
	b.take(tick0)
	b.take(tick0)
	assert.False(t, b.full(tick0))
	assert.InDelta(t, 100*time.Millisecond, b.until(1, tick0), float64(time.Microsecond))
	assert.InDelta(t, time.Second, b.until(10, tick0), float64(time.Microsecond))
	assert.True(t, b.full(tick2))

	after := tick0.Add(b.until(1, tick0))
	assert.True(t, b.take(after), "when until says that a token is there, it is there")
}

func TestBucket_UntilIsExactEnoughForATimer(t *testing.T) {
	for _, limit := range []rate.Limit{0.3, 1, 3, 7, 9.99, 97, 333.3, 1e5, 1e8} {
		b, now, waits := newBucket(limit, 1), tick0, 0
		for range 1000 {
			for !b.take(now) {
				now = now.Add(b.until(1, now))
				waits++
			}
		}
		assert.Less(t, waits, 1500, "%v a second: the timer runs about once for each token", limit)
	}
}

func TestBucket_WaitsThatNobodyLivesToSee(t *testing.T) {
	b := newBucket(1e-300, 1)
	b.take(tick0)
	assert.Equal(t, endless, b.until(1, tick0))
	b.spend(tick0)
	assert.Equal(t, endless, b.until(1, tick0.Add(endless)))
}
