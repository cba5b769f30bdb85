package tencenthttp

import "math"

// rhythm tells whether a quota is used by nobody else: then the service objects to a growing rate again and again at the same point of
// its growth. Where others use it too, their throttles and ours fall at random.
type rhythm struct {
	usual   float64 // how far the growth usually comes, in lingers; zero if it is not known yet
	regular int     // objections in a row that came in time; below zero, that did not
}

const (
	inTime    = 0.35 // of the usual, sooner or later
	tooSoon   = 0.7  // of a linger: an objection to a rate that has yet to come down
	manyTimes = 2    // in a row
)

// beat takes note of an objection, so many lingers after the last one.
func (r *rhythm) beat(lingers float64) {
	switch {
	case lingers < tooSoon:
	case r.usual == 0:
		r.usual = lingers
	case math.Abs(lingers-r.usual) < inTime*r.usual:
		r.regular = max(1, r.regular+1)
		r.usual += (lingers - r.usual) / 2
	default:
		r.regular = min(-1, r.regular-1)
		r.usual = lingers
	}
}

func (r *rhythm) alone() bool   { return r.regular >= manyTimes }
func (r *rhythm) crowded() bool { return r.regular <= -manyTimes }
