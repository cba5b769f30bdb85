package tencenthttp

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPulse(t *testing.T) {
	const ms = time.Millisecond
	var p pulse
	assert.False(t, p.beat(50*ms), "the first is the usual one")
	assert.EqualValues(t, 50*ms, p.usual.Load())
	assert.False(t, p.beat(200*ms), "twice as long, and a tenth of a second")
	assert.True(t, p.beat(300*ms))
	assert.True(t, p.beat(300*ms))
	assert.EqualValues(t, 2, p.run.Load())
	assert.False(t, p.beat(50*ms))
	assert.Zero(t, p.run.Load(), "in a row")

	p.held.Store(true)
	usual := p.usual.Load()
	p.beat(time.Minute)
	assert.Equal(t, usual, p.usual.Load())
}

// Where some answers always take long, they are usual.
func TestPulse_LongAnswersAmongShortOnes(t *testing.T) {
	var p pulse
	longest := int64(0)
	for i := range 1000 {
		took := 50 * time.Millisecond
		if i%2 == 1 {
			took = 3 * time.Second
		}
		p.beat(took)
		longest = max(longest, p.run.Load())
	}
	assert.Less(t, longest, int64(slowRun))
}
