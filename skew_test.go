package tencenthttp

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSkewOf(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	rows := map[string]struct {
		date   time.Duration // of the answer, after now
		signed time.Duration
		ok     bool
	}{
		"ten minutes ahead":            {10 * time.Minute, 0, true},
		"ten minutes behind":           {-10 * time.Minute, 0, true},
		"explains nothing":             {239 * time.Second, 0, false},
		"just explains it":             {241 * time.Second, 0, true},
		"an old signature, no skew":    {0, -10 * time.Minute, true},
		"a day":                        {24 * time.Hour, 0, true},
		"more than a day":              {24*time.Hour + time.Second, 0, false},
		"a signature of a wrong clock": {time.Second, 10 * time.Minute, true},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"Date": {now.Add(row.date).Format(http.TimeFormat)}}
			offset, ok := skewOf(header, now.Add(row.signed), now)
			assert.Equal(t, row.ok, ok)
			assert.Equal(t, row.date, offset)
		})
	}
	_, ok := skewOf(http.Header{}, now, now)
	assert.False(t, ok)
}

func TestClocks(t *testing.T) {
	var k clocks
	assert.Zero(t, k.of("a"))
	k.set("a", time.Hour)
	k.set("b", -time.Hour)
	assert.Equal(t, time.Hour, k.of("a"))
	assert.Equal(t, -time.Hour, k.of("b"))
	k.set("a", time.Second) // the service would not notice
	assert.Zero(t, k.of("a"))
	assert.True(t, k.some.Load())
	k.set("b", 0)
	assert.False(t, k.some.Load(), "nothing to look up")

	for i := range maxEntries + 1 {
		k.set(strconv.Itoa(i), time.Hour)
	}
	assert.LessOrEqual(t, len(k.offset), maxEntries, "C40 bounded")
	assert.Equal(t, time.Hour, k.of(strconv.Itoa(maxEntries)))
}
