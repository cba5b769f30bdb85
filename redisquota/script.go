package redisquota

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tencenthttp/tencenthttp"
)

//go:embed exchange.lua
var exchangeSource string

var exchangeScript = redis.NewScript(exchangeSource)

// keyOf is the one key that a target has in Redis. The braces keep whatever belongs to a target in one slot of Redis Cluster. The
// hash keeps accounts, regions and actions out of it; the account is no SecretId to begin with.
func keyOf(prefix string, target tencenthttp.Target) string {
	name := strings.Join([]string{target.Service, target.Host, target.Region, target.Action, target.Account}, "\x00")
	sum := sha256.Sum256([]byte(name))
	return prefix + "{" + hex.EncodeToString(sum[:16]) + "}"
}

// question is what a process tells Redis of itself, and asks for.
type question struct {
	limit  limit
	weight int

	held  int // places in hand
	need  int // more of them, for calls that wait
	spare int // and for calls to come

	objects   int64 // the cut of the rate after which the service has throttled again; -1 if it has not
	throttled int   // how often it did since the last question
	accepted  int   // attempts that it took in the last second

	known     bool // the process has had an answer that Redis should remember still
	knownSum  int64
	knownRate float64 // learned
	lost      bool    // it has been without Redis for a while
	spent     int     // attempts made without Redis since the last question
}

// answer is what the fleet's state says.
type answer struct {
	epoch    int64   // when the state began; another one means that it was lost meanwhile; zero if there is none
	phase    phase   // of learning
	rate     float64 // per second, of the whole fleet
	ceiling  float64 // where the service last objected; zero if it has not
	cuts     int64   // how often the rate was cut, to tell objections to this rate from those to earlier ones
	sum      int64   // the weights of all active processes
	window   int     // how many places this process may have in hand
	first    int64   // the first new place
	given    int     // how many there are
	released float64 // the place that is due now
	wait     time.Duration
	hold     bool          // for so long everyone goes on with its last share
	ttl      time.Duration // for how long Redis remembers this
	level    float64       // tokens that nobody has asked for; negative if places were given out ahead
}

// phase is how far the fleet has got in learning a rate.
type phase uint8

const (
	unlimited phase = iota
	settling        // the service has throttled for the first time; nothing is sent until what is under way has been answered
	searching       // the rate grows fast until the service throttles again
	feeling         // it stays close under where the service throttled
	fixed           // there is a limit, and nothing is learned
)

// ask makes one round trip. It may take longer than the context allows: without ContextTimeoutEnabled go-redis waits as long as its
// ReadTimeout is.
func ask(ctx context.Context, client redis.Scripter, key, id string, q question) (answer, error) {
	values, err := exchangeScript.Run(ctx, client, []string{key},
		id, q.weight, q.limit.perSecond, q.limit.burst, q.held, q.need, q.spare,
		q.objects, q.throttled, q.accepted, flag(q.known), q.knownSum, q.knownRate, flag(q.lost), q.spent).Int64Slice()
	if err != nil {
		return answer{}, err
	}
	const fields = 14
	if len(values) != fields {
		return answer{}, fmt.Errorf("redisquota: %d values instead of %d", len(values), fields)
	}
	return answer{
		epoch: values[0], phase: phase(values[1]), rate: thousandths(values[2]), ceiling: thousandths(values[3]),
		cuts: values[4], sum: max(1, values[5]), window: int(values[6]), first: values[7], given: int(values[8]),
		released: thousandths(values[9]), wait: time.Duration(values[10]) * time.Microsecond, hold: values[11] == 1,
		ttl: time.Duration(values[12]) * time.Microsecond, level: thousandths(values[13]),
	}, nil
}

// thousandths undoes how the script returns a fraction: Redis would cut it off.
func thousandths(n int64) float64 { return float64(n) / 1000 }

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
