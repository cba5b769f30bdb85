package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// Spec describes a policy: what it uses, and how that is set.
type Spec struct {
	Name  string `yaml:"name" usage:"-"`
	Use   string `yaml:"use" usage:"the library, or ours or bare"`
	Rules `yaml:",inline"`
	// These are for ours alone.
	RateLimit  RateLimit    `yaml:"rateLimit"`
	KnowsQuota bool         `yaml:"knowsQuota" usage:"ours: WithRateLimit of the scenario's quota"`
	Pacing     bool         `yaml:"pacing" usage:"ours: false is WithoutPacing"`
	MaxWait    sim.Duration `yaml:"maxWait" usage:"ours: WithMaxWait"`
	HoldFor    sim.Duration `yaml:"holdFor" usage:"ours: BreakerSettings.HoldFor"`
}

// RateLimit is what WithRateLimit is given; the zero one is none.
type RateLimit struct {
	Rate  float64 `yaml:"rate" usage:"ours: WithRateLimit, calls per second"`
	Burst int     `yaml:"burst" usage:"ours: WithRateLimit, calls at once"`
}

// Default returns a spec of ours with its defaults and the usual rules.
func Default() Spec { return Spec{Use: "ours", Pacing: true, Rules: DefaultRules()} }

// Builtin returns the specs of the comparison, all with the usual rules.
func Builtin() []Spec {
	with := func(name string, change func(*Spec)) Spec {
		s := Default()
		s.Name = name
		change(&s)
		return s
	}
	specs := []Spec{
		with("bare", func(s *Spec) { s.Use = "bare" }),
		with("ours", func(*Spec) {}),
		with("ours+limit", func(s *Spec) { s.KnowsQuota = true }),
		with("ours-pacing", func(s *Spec) { s.Pacing = false }),
		with("ours+hold", func(s *Spec) { s.HoldFor = sim.Duration(30 * time.Second) }),
		with("ours+maxwait", func(s *Spec) { s.MaxWait = sim.Duration(3 * time.Second) }),
	}
	for _, l := range libraries {
		if l.name != "bare" && l.name != "ours" {
			specs = append(specs, with(l.name, func(s *Spec) { s.Use = l.name }))
		}
	}
	return specs
}

// library is something to make calls with.
type library struct {
	name string
	// about says how it is set, and what is added to it by hand.
	about string
	make  func(Spec, sim.Site) (sim.Client, error)
}

// libraries has them in the order of the tables.
var libraries = []library{
	{"bare", "one request for each call, and a timeout", newBare},
	{"ours", "this project's Transport with its defaults; its jitter is seeded", newOurs},
	{"failsafe", "failsafe-go: retry policy (jitter factor 0.5, not seeded) around its circuit breaker", newFailsafe},
	{"failsafe-adaptive", "the same around its adaptive limiter with a queue of 2 to 3 times the limit (not seeded)", newFailsafeAdaptive},
	{"retryablehttp", "go-retryablehttp: its DefaultBackoff, without jitter; gobreaker added", newRetryablehttp},
	{"rehttp", "rehttp: full jitter; gobreaker added", newRehttp},
	{"resty", "resty v3: its backoff (jitter not seeded) and circuit breaker, whose window is as long as it stays open", newResty},
	{"aws-standard", "aws-sdk-go-v2's standard retryer with its retry tokens: full jitter; gobreaker added", newAWSStandard},
	{"aws-adaptive", "its adaptive retryer, the same with a client-side rate; gobreaker added", newAWSAdaptive},
	{"tencent-sdk", "the Tencent Cloud SDK's own retries of throttles and network failures: full jitter; gobreaker added", newSDK},
}

// Policy returns what the spec describes.
func (s Spec) Policy() (sim.Policy, error) {
	at := slices.IndexFunc(libraries, func(l library) bool { return l.name == s.Use })
	if at < 0 {
		names := make([]string, len(libraries))
		for i, l := range libraries {
			names[i] = l.name
		}
		return sim.Policy{}, fmt.Errorf("policy %s: use %q: want one of %s", s.Name, s.Use, strings.Join(names, ", "))
	}
	if err := s.validate(); err != nil {
		return sim.Policy{}, fmt.Errorf("policy %s: %w", s.Name, err)
	}
	l := libraries[at]
	return sim.Policy{Name: s.Name, MaxWait: s.MaxWait.D(), New: func(site sim.Site) (sim.Client, error) {
		return l.make(s, site)
	}}, nil
}

// About says what the spec's library is.
func (s Spec) About() string {
	for _, l := range libraries {
		if l.name == s.Use {
			return l.about
		}
	}
	return ""
}
