package tencenthttp

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRhythm(t *testing.T) {
	for _, tt := range []struct {
		name           string
		beats          []float64
		alone, crowded bool
	}{
		{name: "nothing is known yet"},
		{name: "the first two say how far it comes", beats: []float64{1.5, 1.6}},
		{name: "the third in time", beats: []float64{1.5, 1.6, 1.4}, alone: true},
		{name: "it may drift", beats: []float64{1.5, 1.9, 2.1, 2.3}, alone: true},
		{name: "one out of time", beats: []float64{1.5, 1.6, 1.4, 4}},
		{name: "two out of time", beats: []float64{1.5, 1.6, 1.4, 4, 1}, crowded: true},
		{name: "at random", beats: []float64{0.9, 3, 0.8, 1.9}, crowded: true},
		{name: "the rate has yet to come down: says nothing", beats: []float64{1.5, 0.1, 0.2, 0.3, 1.6, 0.1, 1.4}, alone: true},
		{name: "out of the crowd", beats: []float64{0.9, 3, 0.8, 0.8, 0.8}, alone: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r rhythm
			for _, beat := range tt.beats {
				r.beat(beat)
			}
			assert.Equal(t, tt.alone, r.alone(), "alone")
			assert.Equal(t, tt.crowded, r.crowded(), "crowded")
		})
	}
}
