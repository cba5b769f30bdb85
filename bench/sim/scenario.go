package sim

import "time"

// Scenario is a load on a service and what disturbs it. Durations count from its beginning. Load is either open, with Arrivals
// that come however the service fares, or closed, with a batch of Calls for Workers.
type Scenario struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`

	// Quota is what the service allows, and Changes what it allows later. No quota: no limit.
	Quota   Quota         `yaml:"quota"`
	Changes []QuotaChange `yaml:"quotaChanges"`

	// Arrivals is an open load: each call is made when it is due, by whatever number of callers that takes.
	Arrivals Arrivals `yaml:"arrivals"`
	// Calls is a closed load: each process has so many, and so many workers that make them one after the other. A worker whose
	// call failed pauses and hands the call back, to be made again; the batch ends when all have succeeded.
	Calls   int      `yaml:"calls" usage:"closed load: calls of each process"`
	Workers int      `yaml:"workers" usage:"closed load: workers of each process"`
	Pause   Duration `yaml:"pause" usage:"closed load: what a worker waits after a failed call"`
	// Processes is how many clients, each with a state of its own, share the service and its quota. Arrivals go to them in turn.
	Processes int `yaml:"processes" usage:"clients that share the quota"`
	// Deadline is how long the caller of one call waits.
	Deadline Duration `yaml:"deadline" usage:"how long the caller of a call waits"`

	// Capacity is what the service behind the quota can do; Brownout takes its place for a while. None: no limit.
	Capacity Capacity `yaml:"capacity"`
	Brownout Brownout `yaml:"brownout"`
	Outage   Outage   `yaml:"outage"`
	Latency  Latency  `yaml:"latency"`
}

// Quota is a token bucket of Rate and Burst, or so many calls (Limit) in each fixed Window.
type Quota struct {
	Rate   float64  `yaml:"rate" usage:"token bucket: calls per second"`
	Burst  int      `yaml:"burst" usage:"token bucket: calls at once"`
	Limit  int      `yaml:"limit" usage:"fixed window: calls in each"`
	Window Duration `yaml:"window" usage:"fixed window: its length"`
}

// QuotaChange is a quota that holds from At on.
type QuotaChange struct {
	At    Duration `yaml:"at"`
	Quota `yaml:",inline"`
}

// Arrivals are Rate calls a second For so long: each second has exactly as many, or by chance if Poisson.
type Arrivals struct {
	Rate    float64  `yaml:"rate" usage:"open load: calls per second"`
	For     Duration `yaml:"for" usage:"open load: how long they come"`
	Poisson bool     `yaml:"poisson" usage:"open load: at random rather than regular intervals"`
}

// Capacity is Rate calls a second, first come, first served. A call that would wait longer than MaxQueue is shed with InternalError.
type Capacity struct {
	Rate     float64  `yaml:"rate" usage:"what the service can do, in calls per second"`
	MaxQueue Duration `yaml:"maxQueue" usage:"the wait beyond which it sheds calls"`
}

// Brownout is a capacity that holds for a while.
type Brownout struct {
	From     Duration `yaml:"from" usage:"when the brownout begins"`
	Until    Duration `yaml:"until" usage:"when it ends"`
	Capacity `yaml:",inline"`
}

// Outage is a time in which these shares of all requests fail.
type Outage struct {
	From          Duration `yaml:"from" usage:"when the outage begins"`
	Until         Duration `yaml:"until" usage:"when it ends"`
	Refuse        float64  `yaml:"refuse" usage:"share of refused connections"`
	Unavailable   float64  `yaml:"unavailable" usage:"share of HTTP 503"`
	InternalError float64  `yaml:"internalError" usage:"share of InternalError"`
	Hang          float64  `yaml:"hang" usage:"share of requests without an answer"`
}

// Latency is how long things take. Network is each way, evenly between two values; Accepted is the service's work on a call that
// it accepts, Throttled on one that it does not.
type Latency struct {
	Network   [2]Duration `yaml:"network" usage:"each way, evenly between two values: [5ms, 15ms]"`
	Accepted  Duration    `yaml:"accepted" usage:"work on an accepted call"`
	Throttled Duration    `yaml:"throttled" usage:"time to throttle one"`
}

// PerSecond returns the calls per second that the quota allows in the long run; 0 is no limit.
func (q Quota) PerSecond() float64 {
	if q.Limit > 0 {
		return float64(q.Limit) / q.Window.Seconds()
	}
	return q.Rate
}

// Open tells whether the load is open.
func (s *Scenario) Open() bool { return s.Arrivals.Rate > 0 }

// Disturbed returns the time in which something is wrong: the outage, or the brownout. Without any, until is zero.
func (s *Scenario) Disturbed() (from, until time.Duration) {
	if s.Outage.Until > 0 {
		return s.Outage.From.D(), s.Outage.Until.D()
	}
	return s.Brownout.From.D(), s.Brownout.Until.D()
}

// RateAt returns the quota at that time, in calls per second; 0 is no limit.
func (s *Scenario) RateAt(t time.Duration) float64 {
	return s.quotaAt(t).PerSecond()
}

func (s *Scenario) quotaAt(t time.Duration) Quota {
	q := s.Quota
	for _, c := range s.Changes {
		if c.At.D() <= t {
			q = c.Quota
		}
	}
	return q
}

func (s *Scenario) capacityAt(t time.Duration) Capacity {
	if s.Brownout.From.D() <= t && t < s.Brownout.Until.D() {
		return s.Brownout.Capacity
	}
	return s.Capacity
}

// total returns how many calls there are, those that are made again not counted.
func (s *Scenario) total() int {
	if s.Open() {
		return int(s.Arrivals.Rate*s.Arrivals.For.Seconds() + .5)
	}
	return s.Calls * s.Processes
}
