package tctest

import (
	"fmt"
	"time"
)

// Outage is a time in which a share of the calls fails. The shares are drawn for each call and add up to at most 1; the rest is
// handled as usual.
type Outage struct {
	// From and Until bound it, counted from New. Until 0: until SetOutages ends it.
	From, Until time.Duration
	// Host, Region and Action (written as for Handle) limit it; empty: all of them.
	Host, Region, Action string
	// Refuse is the share of connections that are refused, as by CutDial.
	Refuse float64
	// Unavailable is the share that a load balancer answers with status 503 and an HTML page.
	Unavailable float64
	// InternalError is the share that the service behind answers with Code, or InternalError if that is empty.
	InternalError float64
	Code          string
	// Hang is the share that is never answered.
	Hang float64
}

func (o Outage) check() {
	sum := o.Refuse + o.Unavailable + o.InternalError + o.Hang
	if !(o.Refuse >= 0 && o.Unavailable >= 0 && o.InternalError >= 0 && o.Hang >= 0 && sum <= 1+1e-9) {
		panic(fmt.Sprintf("tctest: %+v: the shares must not be negative nor add up to more than 1", o))
	}
	if o.From < 0 || o.Until < 0 || o.Until > 0 && o.Until < o.From {
		panic(fmt.Sprintf("tctest: %+v: ends before it begins", o))
	}
}

func (o *Outage) covers(r *Request, since time.Duration) bool {
	return since >= o.From && (o.Until == 0 || since < o.Until) &&
		(o.Host == "" || o.Host == r.Host) && (o.Region == "" || o.Region == r.Region) &&
		(o.Action == "" || parseAction(o.Action).matches(r.Service, r.Action))
}

// SetOutages replaces all outages, those that are under way too. Without arguments there are none any more.
//
// Refused connections and 503 pages come from in front of the API: such calls count against no quota, and their signature is
// not looked at. InternalError and hanging come from behind it: calls over their quota are throttled even then.
func (a *API) SetOutages(outages ...Outage) {
	for _, o := range outages {
		o.check()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outages = append([]Outage(nil), outages...)
}

// AddOutage adds an outage to those that there are. Where several cover a call, the first one decides.
func (a *API) AddOutage(o Outage) {
	o.check()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outages = append(a.outages, o)
}

// fate is what an outage does to a call.
type fate uint8

const (
	spared fate = iota
	refused
	unavailable
	failing
	hanging
)

// outage returns the first outage that covers the request.
func (a *API) outage(r *Request, now time.Time) (Outage, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	since := now.Sub(a.start)
	for i := range a.outages {
		if a.outages[i].covers(r, since) {
			return a.outages[i], true
		}
	}
	return Outage{}, false
}

// draw turns a number from [0, 1) into a fate.
func (o *Outage) draw(u float64) fate {
	for _, share := range [...]struct {
		size float64
		fate
	}{{o.Refuse, refused}, {o.Unavailable, unavailable}, {o.InternalError, failing}, {o.Hang, hanging}} {
		if u < share.size {
			return share.fate
		}
		u -= share.size
	}
	return spared
}
