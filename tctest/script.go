package tctest

import (
	"fmt"
	"slices"
)

// script is a queue of answers.
type script struct{ answers []Answer }

// Script appends answers to the queue of an action, written as for Handle. Each wire request for the action takes the next one,
// in order of arrival; after the last, calls are handled as usual. The queue of the exact action comes before that of "*".
//
//	api.Script("DescribeInstances", tctest.Fail("InternalError").Times(2), tctest.Success(v))
//
// A scripted answer is given whatever quota, outage, capacity and latency would say: only a wrong signature comes first. Those
// that need no look at the body (CutDial, CutBeforeRead, Early) are given before the signature is checked.
func (a *API) Script(action string, answers ...Answer) {
	for _, ans := range answers {
		if ans.Status != 0 && (ans.Status < 200 || ans.Status > 999) {
			panic(fmt.Sprintf("tctest: Script(%q): %d is no HTTP status of an answer", action, ans.Status))
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.scripts[parseAction(action)]
	if s == nil {
		s = new(script)
		a.scripts.set(action, s)
	}
	s.answers = append(s.answers, answers...)
}

// ClearScripts forgets the scripted answers of the actions, of all actions if none is named.
func (a *API) ClearScripts(actions ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(actions) == 0 {
		clear(a.scripts)
	}
	for _, action := range actions {
		delete(a.scripts, parseAction(action))
	}
}

// Pending returns how many scripted answers of an action, named as it was to Script, have not been given yet, not counting those
// that are repeated for ever.
func (a *API) Pending(action string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	if s := a.scripts[parseAction(action)]; s != nil {
		for _, ans := range s.answers {
			if ans.Repeat >= 0 {
				n += max(1, ans.Repeat)
			}
		}
	}
	return n
}

// scripted is an answer taken from a queue.
type scripted struct {
	Answer
	from    *script // nil: none was taken
	waiting bool    // one was there, and accept did not agree to it
}

// nextScripted takes the next scripted answer of the action, but only one that accept agrees to.
func (a *API) nextScripted(service, action string, accept func(*Answer) bool) scripted {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.scripts) == 0 {
		return scripted{}
	}
	for _, key := range [...]actionKey{{service, action}, {"", action}, {service, anyAction}, {"", anyAction}} {
		s := a.scripts[key]
		if s == nil || len(s.answers) == 0 {
			continue
		}
		if !accept(&s.answers[0]) {
			return scripted{Answer: s.answers[0], waiting: true}
		}
		return scripted{Answer: s.take(), from: s}
	}
	return scripted{}
}

func (s *script) take() Answer {
	ans := s.answers[0]
	switch {
	case ans.Repeat < 0:
	case ans.Repeat > 1:
		s.answers[0].Repeat--
	default:
		s.answers = s.answers[1:]
	}
	return ans
}

// putBack returns an answer that was not given after all.
func (a *API) putBack(s scripted) {
	if s.from == nil || s.Repeat < 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s.Repeat = 1
	s.from.answers = slices.Insert(s.from.answers, 0, s.Answer)
}

func anyAnswer(*Answer) bool { return true }

// undialled accepts answers that are given before there is a connection.
func undialled(ans *Answer) bool { return ans.Cut == CutDial }

// bodyless says that the answer is given before the request's body is read.
func (ans *Answer) bodyless() bool {
	return ans.Early || ans.Cut == CutBeforeRead || ans.Cut == CutDial
}
