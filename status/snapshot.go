package status

import (
	"cmp"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp"
)

// maxShown is how many targets a page shows: those that matter.
const maxShown = 200

// Snapshot is what the page shows, and what it gives as JSON.
type Snapshot struct {
	Title    string    `json:"title"`
	Time     time.Time `json:"time"`
	Since    time.Time `json:"since"` // when the page was made
	Known    int       `json:"targets_known"`
	Step     float64   `json:"step_s"` // what each value of a History spans
	Total    History   `json:"total"`
	Waiting  int       `json:"waiting"` // calls in line, of all targets
	Breakers []Breaker `json:"breakers"`
	Targets  []Target  `json:"targets"` // those that matter most first, 200 at most
	Failures []Failure `json:"failures"`
}

// Breaker is an endpoint whose breaker is not closed.
type Breaker struct {
	Host   string  `json:"host"`
	Region string  `json:"region"`
	State  string  `json:"state"`      // open or half-open
	Left   float64 `json:"open_for_s"` // how long it will refuse every call
}

// Target is one action, in one region, for one account.
type Target struct {
	Service string `json:"service"`
	Action  string `json:"action"`
	Region  string `json:"region"`
	Host    string `json:"host"`
	Account int    `json:"account,omitempty"` // a number, where accounts are all that tells targets apart

	Limit     *float64 `json:"limit_per_s"` // null without a limit
	Waiting   int      `json:"waiting"`
	Breaker   string   `json:"breaker"`
	OpenFor   float64  `json:"open_for_s"`
	Calls     uint64   `json:"calls"`
	Attempts  uint64   `json:"attempts"`
	Retries   uint64   `json:"retries"`
	Throttled uint64   `json:"throttled"`
	Faults    uint64   `json:"faults"`
	Refused   uint64   `json:"refused"`
	History   History  `json:"history"`
}

// History is the last ten minutes, oldest first, in steps of 10 s.
type History struct {
	Succeeded []uint32  `json:"succeeded"`
	Throttled []uint32  `json:"throttled"`
	Faults    []uint32  `json:"faults"`
	Failed    []uint32  `json:"failed"`
	Refused   []uint32  `json:"refused"`
	Waited    []float32 `json:"waited_s"`    // by all calls together
	Limit     []float32 `json:"limit_per_s"` // 0 without a limit
}

// ranked is a target with what decides whether it is shown.
type ranked struct {
	tencenthttp.TargetStats
	series   *series // nil if nothing is known
	attempts uint64
	trouble  uint64
}

// Snapshot returns what there is to show. Hooks do not wait for what takes long in it: the Transports' Stats, and putting the
// targets in order.
func (p *Page) Snapshot() Snapshot {
	var stats []tencenthttp.TargetStats
	for _, rt := range p.installed() {
		stats = append(stats, rt.Stats()...)
	}
	now := time.Now()
	shown := p.rank(stats, now)
	slices.SortStableFunc(shown, byImportance)
	shown = shown[:min(len(shown), maxShown)]
	accounts := numberAccounts(shown, stats)
	s := Snapshot{
		Title: p.title, Time: now, Since: p.begin, Known: len(stats), Step: step.Seconds(),
		Breakers: breakers(stats), Targets: []Target{},
	}
	for _, st := range stats {
		s.Waiting += st.Waiting
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Total, s.Failures = newHistory(p.all.last(now)), p.failures.list()
	for _, row := range shown {
		s.Targets = append(s.Targets, newTarget(row, accounts[row.Target], now))
	}
	return s
}

// rank adds to the targets what decides whether they are shown.
func (p *Page) rank(stats []tencenthttp.TargetStats, now time.Time) []ranked {
	rows := make([]ranked, len(stats))
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, st := range stats {
		rows[i] = ranked{TargetStats: st, series: p.targets[st.Target]}
		if known := rows[i].series; known != nil {
			rows[i].attempts, rows[i].trouble = known.sum(now)
		}
	}
	return rows
}

func (p *Page) installed() []*tencenthttp.Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.transports)
}

// byImportance puts first what is broken, then who waits, then what fails, then what is used.
func byImportance(a, b ranked) int {
	return cmp.Or(
		cmp.Compare(breakerRank(b), breakerRank(a)), cmp.Compare(b.Waiting, a.Waiting),
		cmp.Compare(b.trouble, a.trouble), cmp.Compare(b.attempts, a.attempts), cmp.Compare(b.Calls, a.Calls),
	)
}

func breakerRank(r ranked) int {
	if r.OpenFor > 0 || r.Breaker != 0 {
		return 1
	}
	return 0
}

// numberAccounts numbers the targets that differ from one that is shown in nothing else. Their fingerprints are nobody's business.
func numberAccounts(shown []ranked, all []tencenthttp.TargetStats) map[tencenthttp.Target]int {
	same := make(map[tencenthttp.Target][]tencenthttp.Target, len(shown))
	for _, row := range shown {
		same[nameOf(row.Target)] = nil
	}
	for _, s := range all {
		name := nameOf(s.Target)
		if known, ok := same[name]; ok && !slices.Contains(known, s.Target) {
			same[name] = append(known, s.Target)
		}
	}
	numbers := map[tencenthttp.Target]int{}
	for _, targets := range same {
		if len(targets) > 1 {
			for i, target := range targets {
				numbers[target] = i + 1
			}
		}
	}
	return numbers
}

func nameOf(target tencenthttp.Target) tencenthttp.Target {
	target.Account = ""
	return target
}

func newTarget(row ranked, account int, now time.Time) Target {
	t := Target{
		Service: row.Target.Service, Action: row.Target.Action, Region: row.Target.Region, Host: row.Target.Host, Account: account,
		Waiting: row.Waiting, Breaker: row.Breaker.String(), OpenFor: row.OpenFor.Seconds(),
		Calls: row.Calls, Attempts: row.Attempts, Retries: row.Retries, Throttled: row.Throttled, Faults: row.Faults, Refused: row.Refused,
	}
	if row.Limit < rate.Inf {
		limit := float64(row.Limit)
		t.Limit = &limit
	}
	if row.series == nil {
		row.series = &series{}
	}
	row.series.advance(now)
	row.series.setLimit(row.Limit)
	t.History = newHistory(row.series.last(now))
	return t
}

func newHistory(last []counts) History {
	var h History
	for _, c := range last {
		h.Succeeded = append(h.Succeeded, c.succeeded)
		h.Throttled = append(h.Throttled, c.throttled)
		h.Faults = append(h.Faults, c.faults)
		h.Failed = append(h.Failed, c.failed)
		h.Refused = append(h.Refused, c.refused)
		h.Waited = append(h.Waited, c.waited)
		h.Limit = append(h.Limit, c.limit)
	}
	return h
}

// breakers lists the endpoints that are not closed, the one that stays so longest first.
func breakers(stats []tencenthttp.TargetStats) []Breaker {
	list := []Breaker{}
	seen := map[[2]string]bool{}
	for _, s := range stats {
		at := [2]string{s.Target.Host, s.Target.Region}
		if s.Breaker == 0 || seen[at] {
			continue
		}
		seen[at] = true
		list = append(list, Breaker{Host: s.Target.Host, Region: s.Target.Region, State: s.Breaker.String(), Left: s.OpenFor.Seconds()})
	}
	slices.SortFunc(list, func(a, b Breaker) int { return cmp.Or(cmp.Compare(b.Left, a.Left), cmp.Compare(a.Host, b.Host)) })
	return list
}
