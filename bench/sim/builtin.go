package sim

import "time"

// seconds shortens the tables of this package.
const seconds = Duration(time.Second)

// Builtin returns the scenarios S1 to S7, which every change of the pacer is measured by. Each has a quota of 20 calls a second.
func Builtin() []Scenario {
	quota := Quota{Rate: 20, Burst: 20}
	batch := Scenario{Quota: quota, Calls: 2000, Workers: 200, Deadline: 60 * seconds}
	steady := Scenario{Quota: quota, Arrivals: Arrivals{Rate: 15, For: 150 * seconds}, Deadline: 30 * seconds}

	s1 := batch.named("S1", "a batch of 2,000 calls by 200 workers")
	s2 := steady.named("S2", "15/s, outage from 45 to 75 s")
	s2.Outage = Outage{From: 45 * seconds, Until: 75 * seconds, InternalError: .6, Unavailable: .2, Hang: .2}
	s3 := steady.named("S3", "40/s for 120 s, twice the quota")
	s3.Arrivals = Arrivals{Rate: 40, For: 120 * seconds}
	s4 := steady.named("S4", "15/s, brownout from 25/s to 5/s from 45 to 105 s")
	s4.Capacity = Capacity{Rate: 25, MaxQueue: 8 * seconds}
	s4.Brownout = Brownout{From: 45 * seconds, Until: 105 * seconds, Capacity: Capacity{Rate: 5, MaxQueue: 8 * seconds}}
	s5 := batch.named("S5", "10 processes of 500 calls and 50 workers each")
	s5.Calls, s5.Workers, s5.Processes = 500, 50, 10
	s6 := batch.named("S6", "S1 while the quota goes from 20 to 5 at 30 s and to 50 at 60 s")
	s6.Changes = []QuotaChange{
		{At: 30 * seconds, Quota: Quota{Rate: 5, Burst: 5}},
		{At: 60 * seconds, Quota: Quota{Rate: 50, Burst: 50}},
	}
	s7 := batch.named("S7", "S1 against a fixed window of one second")
	s7.Quota = Quota{Limit: 20, Window: seconds}
	return []Scenario{s1, s2, s3, s4, s5, s6, s7}
}

// Defaults returns a scenario without load: what is not said otherwise.
func Defaults() Scenario {
	ms := Duration(time.Millisecond)
	return Scenario{
		Processes: 1,
		Pause:     seconds,
		Deadline:  60 * seconds,
		Latency:   Latency{Network: [2]Duration{5 * ms, 15 * ms}, Accepted: 30 * ms, Throttled: 2 * ms},
	}
}

func (s Scenario) named(name, title string) Scenario {
	d := Defaults()
	s.Name, s.Title = name, title
	s.Processes, s.Pause, s.Latency = d.Processes, d.Pause, d.Latency
	return s
}
