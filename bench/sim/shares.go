package sim

import (
	"math"
	"time"
)

// fairWindow is the time over which shares are compared.
const fairWindow = 60 * time.Second

// Share is what one process got.
type Share struct {
	OK, Failed int
	// Done is when its last call ended.
	Done time.Duration
	// Least and Most are what it got in any 60 s in which it had work, as a part of its fair share: that of the quota, divided by
	// the number of processes. NaN if it had work for less than 60 s.
	Least, Most float64
}

func newShares(s *Scenario, j *journal) []Share {
	shares := make([]Share, s.Processes)
	successes := make([][]int, s.Processes) // per second
	for _, c := range j.calls {
		share := &shares[c.process]
		share.Done = max(share.Done, c.end)
		if c.err != nil {
			share.Failed++
			continue
		}
		share.OK++
		for len(successes[c.process]) <= int(c.end/time.Second) {
			successes[c.process] = append(successes[c.process], 0)
		}
		successes[c.process][int(c.end/time.Second)]++
	}
	for i := range shares {
		shares[i].Least, shares[i].Most = s.extremes(successes[i], shares[i].Done)
	}
	return shares
}

// extremes compares each window of whole seconds that ends before done with what would be fair.
func (s *Scenario) extremes(successes []int, done time.Duration) (least, most float64) {
	least, most = math.NaN(), math.NaN()
	width := int(fairWindow / time.Second)
	for from := 0; from+width <= int(done/time.Second); from++ {
		var got int
		var fair float64
		for second := from; second < from+width; second++ {
			if second < len(successes) {
				got += successes[second]
			}
			fair += s.RateAt(time.Duration(second)*time.Second) / float64(s.Processes)
		}
		if fair == 0 {
			continue
		}
		share := float64(got) / fair
		if !(least <= share) {
			least = share
		}
		if !(most >= share) {
			most = share
		}
	}
	return least, most
}

// Least returns the least share that any process got in any 60 s; NaN if none had work for so long.
func (r *Result) Least() float64 {
	least := math.NaN()
	for _, share := range r.Shares {
		if !(least <= share.Least) && !math.IsNaN(share.Least) {
			least = share.Least
		}
	}
	return least
}
