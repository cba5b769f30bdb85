package tctest

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

// exchange is one wire request on its way through the API. Both front ends, in memory and over HTTP, run it; they differ only in
// how they read the body and how they put the reply on the wire.
type exchange struct {
	api *API
	caller
	http *http.Request // as it was sent; read only
	// readBody reads the body to its end, or fails with errTooLarge.
	readBody func(limit int64) ([]byte, error)
	// admitted says that the connection exists because it was not refused when it was asked for.
	admitted bool
	// gunzips says that the front end asks for gzip on its own account and undoes it.
	gunzips bool

	arrived time.Time
	req     Request
	entry   entry
	script  scripted
	outage  Outage
	fate    fate
	rnd     *rand.Rand
	broken  error // what is wrong with the request as such
}

var errTooLarge = errors.New("tctest: request body too large")

// run carries the request to the service, through it, and the answer back. An error means that the caller gave up.
func (x *exchange) run() (*reply, error) {
	if err := x.travel(); err != nil {
		return nil, err
	}
	x.arrive()
	defer func() { x.entry.close(Dropped, 0, "", time.Since(x.arrived)) }() // a handler panicked; else it is closed by now
	ans, err := x.serve()
	if err == nil && ans.Delay != 0 {
		err = x.wait(ans.Delay, nil)
	}
	if err != nil {
		x.close(Abandoned, nil)
		return nil, err
	}
	rep := x.render(ans)
	switch rep.cut {
	case CutDial:
		x.close(Refused, nil)
	case CutBeforeRead, CutBeforeAnswer:
		x.close(Dropped, nil)
	default:
		x.close(Answered, rep)
	}
	return rep, x.travel()
}

func (x *exchange) close(o Outcome, rep *reply) {
	took := time.Since(x.arrived)
	if rep == nil {
		x.entry.close(o, 0, "", took)
	} else {
		x.entry.close(o, rep.status, rep.code, took)
	}
}

// travel is the way over the network, there or back.
func (x *exchange) travel() error {
	x.api.mu.Lock()
	l := x.api.network
	x.api.mu.Unlock()
	return x.spend(l)
}

// spend waits as long as l says.
func (x *exchange) spend(l Latency) error {
	if l == nil {
		return nil
	}
	return x.wait(max(0, l(x.rand())), nil)
}

// rand returns the source of everything random in this exchange.
func (x *exchange) rand() *rand.Rand {
	if x.rnd == nil {
		var ok bool
		if x.rnd, ok = x.ctx.Value(randKey{}).(*rand.Rand); !ok {
			x.rnd = rand.New(rand.NewPCG(x.api.seed, x.api.draws.Add(1)))
		}
	}
	return x.rnd
}

// arrive notes the request and, unless its action is hidden in the body, decides what is to happen to it.
func (x *exchange) arrive() {
	x.arrived = time.Now()
	x.api.schedule.run(x.arrived)
	x.broken = x.req.readTarget(x.http)
	x.open()
	if !x.req.isForm() {
		x.plan()
	}
}

// open gives the request its number and enters it into the record.
func (x *exchange) open() {
	number := x.api.serial.Add(1)
	x.req.RequestID, x.req.ctx = x.api.requestID(number), x.ctx
	x.entry = x.api.journal.open(number, &x.req, x.arrived)
}

// plan looks up whether the request meets a script or an outage.
func (x *exchange) plan() {
	x.script = x.api.nextScripted(x.req.Service, x.req.Action, anyAnswer)
	if x.script.from == nil || x.script.Handled {
		x.meetOutage()
	}
}

func (x *exchange) meetOutage() {
	o, ok := x.api.outage(&x.req, x.arrived)
	if !ok {
		return
	}
	u := x.rand().Float64()
	if x.admitted {
		u = o.Refuse + (1-o.Refuse)*u
	}
	x.outage, x.fate = o, o.draw(u)
}

// serve finds the answer, and waits as long as the service takes to find it.
func (x *exchange) serve() (Answer, error) {
	if x.script.from != nil && x.script.bodyless() {
		return x.script.Answer, nil
	}
	if x.fate == refused {
		return Broken(CutDial), nil
	}
	wasForm := x.req.isForm()
	if err := x.read(); err != nil {
		return Answer{}, err
	}
	x.entry.read(&x.req, wasForm)
	if wasForm {
		x.plan()
		if x.fate == refused {
			return Broken(CutDial), nil
		}
	}
	if ans, ok := x.front(); ok {
		x.api.putBack(x.script)
		return ans, x.spend(x.api.frontLatency())
	}
	if x.script.from == nil {
		return x.handle()
	}
	if !x.script.Handled {
		return x.script.Answer, nil
	}
	ans, err := x.handle()
	return ans.spoiled(x.script.Answer), err
}

func (x *exchange) read() error {
	body, err := x.readBody(x.api.maxBody)
	if err != nil && !errors.Is(err, errTooLarge) {
		return err
	}
	x.req.Body = body
	if err == nil {
		err = x.req.readForm()
	}
	x.broken = errors.Join(x.broken, err)
	return nil
}

// handle is what happens to a request that is in order.
func (x *exchange) handle() (Answer, error) {
	a := x.api
	if ans, over := a.charge(&x.req, time.Now()); over {
		return ans, x.spend(a.frontLatency())
	}
	switch x.fate {
	case hanging:
		return Hang(), nil
	case failing:
		return Fail(cmp.Or(x.outage.Code, "InternalError")), x.spend(a.backLatency())
	}
	ok, err := a.queue(x.caller)
	if err != nil {
		return Answer{}, err
	}
	if !ok {
		return FailWith("InternalError", "The service is overloaded."), x.spend(a.frontLatency())
	}
	ans := a.handle(&x.req)
	return ans, x.spend(a.backLatency())
}

func (a *API) frontLatency() Latency {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.throttled
}

func (a *API) backLatency() Latency {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.latency
}
