package tencenthttp

import (
	"math"
	"time"
)

// learnedRate finds out how many calls a second a service accepts, from those that it accepts and those that it throttles. It is
// guarded by its pacer's mutex. The figures in it were found with the storm simulator (bench/storm), where they can be tried.
//
//   - It begins with the first throttle. For a moment nothing is sent, for throttled answers come back before accepted ones; then
//     what was accepted in the last second is the estimate. The rate starts well below it and doubles every second up to the next
//     throttle. So processes that share a quota come out nearly even, whoever had luck at first.
//   - A throttle is an objection: the rate goes down by an eighth, and comes back to where the service objected, the goal, in a time
//     that is called a linger here. Then it feels upward, slowly at first and faster and faster as long as nobody objects, until it
//     doubles every second: the quota has grown.
//   - If less was accepted of late than so small a cut accounts for, the quota has shrunk, and the cut goes down to that.
//   - Where others use the quota as well, a constant factor down and a constant step up share it fairly, and haste would take from
//     them. Where the rhythm of the objections shows that nobody does, the rate comes back sooner and makes haste sooner.
//
// The time in which nobody waits does not count: what nobody asks for, nobody can object to.
type learnedRate struct {
	phase      ratePhase
	rate       float64       // calls per second
	goal       float64       // where the service is expected to object
	clock      time.Duration // of growth since the last cut
	rhythm     rhythm
	cutAt      time.Time // what began before it has been objected to already
	accepted   float64   // since then
	answers    float64   // since then, throttles among them
	inARow     int       // throttles
	pauseUntil time.Time // nothing is sent before
	grownAt    time.Time
}

type ratePhase uint8

const (
	unlearned ratePhase = iota
	settling            // nothing is sent
	searching           // up to the first objection
	holding             // close to the goal
)

const (
	settleTime = time.Second
	minRate    = 0.2 // calls per second
	maxRate    = 1e6
	maxPause   = time.Second

	cutShare    = 0.12                   // of the goal, on a throttle
	cutInterval = 500 * time.Millisecond // between two cuts, at the most; or the time of six calls
	leastGoal   = 0.93                   // of the rate that the service objected to
	searchGoal  = 0.6                    // the same at the end of the search, which is the first that one knows of the quota
	shrunk      = 0.6                    // of the rate: so little was accepted that the quota must have shrunk
	grown       = 1.2                    // of the goal: so far above it the rate made haste, and was not expected to be accepted

	haste          = 3.0             // how much faster a rate that makes haste grows with each hasteTime
	crowdPatience  = 12              // seconds without an objection, before a rate makes haste that may not be alone
	crowdHasteTime = 8               // seconds
	aloneHasteTime = 1               // seconds
	lingerPerRate  = 7               // seconds for each call per second: below 2/s the step up is a constant 0.017/s per second
	maxLinger      = 15              // seconds
	minAloneLinger = 4               // seconds
	aloneLinger    = 110             // seconds, divided by the square of the goal: 12 s at 3/s, 4.4 s at 5/s
	longerEachBeat = 0.2             // of the linger: who is alone and knows the quota need not try again so soon
	latelyCalls    = 8               // so many calls make a second's count worth something
	longestLately  = 7 * time.Second // the meter counts no longer
)

// learning tells whether there is a rate, or soon will be.
func (l *learnedRate) learning() bool { return l.phase != unlearned }

// limit returns the rate now; without one it is infinite.
func (l *learnedRate) limit() float64 {
	switch l.phase {
	case unlearned:
		return math.Inf(1)
	case settling:
		return 0
	}
	return l.rate
}

// begin starts to learn. Nothing is sent until settle.
func (l *learnedRate) begin(now time.Time) {
	*l = learnedRate{phase: settling, cutAt: now}
}

// settle takes the estimate, and starts below it: from its root, or a quarter of it.
func (l *learnedRate) settle(estimate float64, now time.Time) {
	estimate = max(1, estimate)
	*l = learnedRate{phase: searching, rate: max(estimate/4, math.Sqrt(estimate)), cutAt: now, grownAt: now}
}

// start begins to learn from a limit that was configured, and that the service has just objected to.
func (l *learnedRate) start(limit float64, now time.Time) {
	*l = learnedRate{rate: limit}
	l.cut(limit, now)
}

// accept takes note of an answer that was no throttle.
func (l *learnedRate) accept() {
	l.accepted++
	l.answers++
	l.inARow = 0
}

// object takes note of a throttled attempt that began at that time; lately is what was accepted per second in the last window. It
// returns whether the rate was cut.
func (l *learnedRate) object(began, now time.Time, lately float64) bool {
	l.answers++
	l.inARow++
	switch {
	case l.phase == settling:
		return false
	case l.phase == searching && l.accepted == 0: // nothing is left of the quota yet, at no rate
		l.pauseUntil = now.Add(maxPause)
		return false
	case l.inARow > 1:
		l.pauseUntil = now.Add(min(maxPause, seconds(math.Exp2(float64(l.inARow-2))*max(0.01, 1/l.rate))))
	}
	if began.Before(l.cutAt) || now.Sub(l.cutAt) < min(cutInterval, max(cutInterval/5, seconds(6/l.rate))) {
		return false
	}
	l.grow(now)
	goal := l.newGoal(now, lately)
	switch {
	case l.phase == searching:
	case goal < 0.75*l.goal:
		l.rhythm = rhythm{}
	default:
		l.rhythm.beat(l.clock.Seconds() / l.linger())
	}
	l.cut(goal, now)
	return true
}

// window is how far back it takes to see what the service accepts: a second, or the time of some calls.
func (l *learnedRate) window() time.Duration {
	return min(longestLately, max(time.Second, seconds(latelyCalls/l.rate)))
}

// newGoal returns what the service accepts, judging by what it has since the last cut and lately. Of a token bucket that was empty
// then, the one is its very rate; of a window of fixed length the other is closer.
func (l *learnedRate) newGoal(now time.Time, lately float64) float64 {
	since := now.Sub(l.cutAt)
	average := l.accepted / since.Seconds()
	enough := l.answers >= latelyCalls/2 && l.rate*l.window().Seconds() > latelyCalls-0.1
	switch {
	case l.phase == searching:
		return min(l.rate, max(searchGoal*l.rate, (lately+average)/2))
	case enough && lately < shrunk*l.rate:
		return max(l.rate/2, lately)
	case l.rate > grown*l.goal && l.answers >= latelyCalls && since >= time.Second:
		return min(l.rate, max(l.rate/2, 1.05*average, 0.97*l.goal))
	}
	return min(l.rate, max(leastGoal*l.rate, average))
}

// cut goes below the goal.
func (l *learnedRate) cut(goal float64, now time.Time) {
	l.phase, l.goal = holding, max(minRate, goal)
	l.rate = max(minRate, l.goal*(1-cutShare))
	l.cutAt, l.grownAt = now, now
	l.clock, l.accepted, l.answers = 0, 0, 0
}

// linger is how many seconds the rate takes to come back to the goal.
func (l *learnedRate) linger() float64 {
	fair := min(maxLinger, lingerPerRate*l.goal)
	if l.rhythm.crowded() {
		return fair
	}
	beats := float64(max(0, l.rhythm.regular))
	return min(fair, max(minAloneLinger, aloneLinger/(l.goal*l.goal))) * (1 + longerEachBeat*beats)
}

// grow lets the rate grow for the time since it last did.
func (l *learnedRate) grow(now time.Time) {
	passed := now.Sub(l.grownAt)
	if passed <= 0 || l.phase == settling {
		return
	}
	l.grownAt = now
	l.clock += passed
	dt, clock := passed.Seconds(), l.clock.Seconds()
	switch l.phase {
	case searching:
		l.rate *= math.Exp2(dt)
	case holding:
		linger := l.linger()
		times := (clock - crowdPatience) / crowdHasteTime
		if l.rhythm.alone() {
			times = (clock - linger) / aloneHasteTime
		}
		step := cutShare * l.goal / linger * math.Pow(haste, max(0, times))
		l.rate += dt * min(l.rate*math.Ln2, step)
	}
	l.rate = min(l.rate, maxRate)
}

// rest tells the rate that nobody has waited for it up to now.
func (l *learnedRate) rest(now time.Time) { l.grownAt = now }

// foresee returns how long it may well take until n calls have got their turn.
func (l *learnedRate) foresee(n int) time.Duration {
	switch l.phase {
	case searching:
		return doubling(n, l.rate)
	case holding:
		return seconds(float64(n) / l.rate)
	}
	return 0
}

// doubling returns how long n calls take at a rate that doubles every second.
func doubling(n int, rate float64) time.Duration {
	return seconds(math.Log2(1 + float64(n)*math.Ln2/rate))
}
