package tencenthttp

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestMeter(t *testing.T) {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ms := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Millisecond) }
	m := meter{epoch: epoch}
	for n := range 100 { // 10/s for ten seconds
		m.add(ms(100*n + 50))
	}
	for _, tt := range []struct {
		name string
		at   time.Time
		over time.Duration
		want float64
	}{
		{"the last second", ms(10_000), time.Second, 10},
		{"in the middle of a slot, a part of the oldest one", ms(9_875), time.Second, 10},
		{"seven seconds", ms(10_000), 7 * time.Second, 10},
		{"half a second later", ms(10_500), time.Second, 5},
		{"a second later", ms(11_000), time.Second, 0},
		{"what wrapped around is not counted again", ms(60_000), 7 * time.Second, 0},
		{"before the epoch", epoch.Add(-time.Hour), time.Second, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.InDelta(t, tt.want, m.rate(tt.at, tt.over), 1.6)
		})
	}
	m.add(ms(20_000))
	m.add(ms(1_000)) // held up for long: it does not wipe out what came after it
	assert.InDelta(t, 1, m.rate(ms(20_000), time.Second), 0)
}

func TestMeter_LosesNoneUnderContention(t *testing.T) {
	now := time.Now()
	m := meter{epoch: now.Add(-time.Minute)}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				m.add(now)
			}
		})
	}
	wg.Wait()
	assert.InDelta(t, 8000, m.rate(now, time.Second), 0)
}
