package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestJitter(t *testing.T) {
	bounds := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second}
	j := newJitter(DefaultRules(), 1)
	for i, bound := range bounds {
		var longest time.Duration
		for range 1000 {
			d := j.delay(i + 1)
			assert.GreaterOrEqual(t, d, time.Duration(0))
			longest = max(longest, d)
		}
		assert.LessOrEqual(t, longest, bound)
		assert.Greater(t, longest, bound*9/10)
	}
	assert.Equal(t, newJitter(DefaultRules(), 7).delay(1), newJitter(DefaultRules(), 7).delay(1))
	b := &jitterBackOff{jitter: j}
	b.NextBackOff()
	b.NextBackOff()
	b.Reset()
	assert.LessOrEqual(t, b.NextBackOff(), bounds[0])
}
