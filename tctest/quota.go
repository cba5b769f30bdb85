package tctest

import (
	"fmt"
	"math"
	"time"
)

// Quota limits how often an action may be called. It is counted separately for every account, region and action, as the service
// does it. The zero Quota is no limit. TokenBucket and FixedWindow make one.
type Quota struct {
	// Rate and Burst describe a token bucket: Rate tokens a second, at most Burst of them, full at first.
	Rate  float64
	Burst int
	// Limit and Window describe fixed windows: Limit calls in each, the windows beginning at multiples of Window on the clock.
	Limit  int
	Window time.Duration
	// Code is what a call over the quota fails with; empty means RequestLimitExceeded.
	Code string
}

// TokenBucket returns a Quota of perSecond calls a second on average and burst at once.
func TokenBucket(perSecond float64, burst int) Quota { return Quota{Rate: perSecond, Burst: burst} }

// FixedWindow returns a Quota of n calls in each window.
func FixedWindow(n int, window time.Duration) Quota { return Quota{Limit: n, Window: window} }

func (q Quota) check() {
	bucket, window := q.Rate != 0 || q.Burst != 0, q.Limit != 0 || q.Window != 0
	switch {
	case bucket && window:
		panic(fmt.Sprintf("tctest: %+v is both a token bucket and a fixed window", q))
	case bucket && (!(q.Rate >= 0) || math.IsInf(q.Rate, 0) || q.Burst < 1):
		panic(fmt.Sprintf("tctest: %+v: a token bucket needs a finite rate of 0 or more and a burst of 1 or more", q))
	case window && (q.Limit < 0 || q.Window <= 0):
		panic(fmt.Sprintf("tctest: %+v: a fixed window needs a limit of 0 or more and a positive window", q))
	}
}

// SetQuota sets the quota of an action, written as for Handle; "*" gives every action a quota of its own. The zero Quota lifts
// it. Tokens that a bucket holds are kept, up to the new burst.
func (a *API) SetQuota(action string, q Quota) {
	q.check()
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for key, m := range a.quotas.meters {
		if old, ok := a.quotas.limits.find(key.service, key.action); ok {
			m.refill(old, now)
		}
	}
	a.quotas.limits.set(action, q)
}

// SetAccount makes keys share the quotas of one account. A SecretId without account is an account of its own.
func (a *API) SetAccount(account string, secretIDs ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.quotas.accounts == nil {
		a.quotas.accounts = make(map[string]string)
	}
	for _, id := range secretIDs {
		a.quotas.accounts[id] = account
	}
}

type quotas struct {
	limits   byAction[Quota]
	accounts map[string]string // by SecretId
	meters   map[meterKey]*meter
}

type meterKey struct{ account, region, service, action string }

// meter counts the calls of one account to one action in one region.
type meter struct {
	tokens float64
	last   time.Time // when tokens were right
	fresh  bool      // never used: the bucket is full
	window time.Time // when the current window began
	used   int       // in it
	second int64     // the current second
	seen   int       // calls in it, refused ones too; only for the message
}

func (m *meter) refill(q Quota, now time.Time) {
	if q.Burst == 0 {
		return
	}
	if m.fresh {
		m.tokens, m.fresh = float64(q.Burst), false
	} else {
		m.tokens = min(float64(q.Burst), m.tokens+q.Rate*now.Sub(m.last).Seconds())
	}
	m.last = now
}

// take counts one call and says whether it is within the quota.
func (m *meter) take(q Quota, now time.Time) bool {
	if s := now.Unix(); s != m.second {
		m.second, m.seen = s, 0
	}
	m.seen++
	if q.Burst > 0 {
		m.refill(q, now)
		const dust = 1e-9 // 20 refills of 50 ms at 1/s are one token, whatever binary fractions say
		if m.tokens < 1-dust {
			return false
		}
		m.tokens = max(0, m.tokens-1)
		return true
	}
	if w := now.Truncate(q.Window); !w.Equal(m.window) {
		m.window, m.used = w, 0
	}
	if m.used >= q.Limit {
		return false
	}
	m.used++
	return true
}

// charge counts the call against its quota. It returns the refusal, or false if there is none.
func (a *API) charge(r *Request, now time.Time) (Answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q, ok := a.quotas.limits.find(r.Service, r.Action)
	if !ok || q.Burst == 0 && q.Window == 0 {
		return Answer{}, false
	}
	account, ok := a.quotas.accounts[r.SecretID]
	if !ok {
		account = r.SecretID
	}
	key := meterKey{account, r.Region, r.Service, r.Action}
	m := a.quotas.meters[key]
	if m == nil {
		if a.quotas.meters == nil {
			a.quotas.meters = make(map[meterKey]*meter)
		}
		m = &meter{fresh: true}
		a.quotas.meters[key] = m
	}
	if m.take(q, now) {
		return Answer{}, false
	}
	return q.refusal(m.seen), true
}

func (q Quota) refusal(seen int) Answer {
	code := q.Code
	if code == "" {
		code = "RequestLimitExceeded"
	}
	limit := fmt.Sprint(q.Rate)
	per := "a second"
	if q.Burst == 0 {
		limit = fmt.Sprint(q.Limit)
		if q.Window != time.Second {
			per = q.Window.String()
		}
	}
	return FailWith(code, fmt.Sprintf("Your current request times equals to `%d` in a second, which exceeds the frequency limit `%s` for %s. "+
		"Please reduce the frequency of calls.", seen, limit, per))
}
