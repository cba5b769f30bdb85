package tencenthttp

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLine_IsOrderedByWhenTheCallBegan(t *testing.T) {
	start := time.Now()
	const n = 500
	var l line
	var waiters []*waiter
	for i := range n {
		waiters = append(waiters, newWaiter(start.Add(time.Duration(i/5)*time.Second), time.Time{})) // five began at once
	}
	joined := rand.Perm(n)
	for _, i := range joined {
		l.join(waiters[i])
	}
	want := slices.Clone(joined)
	slices.SortStableFunc(want, func(a, b int) int { return a/5 - b/5 }) // those who began at once: as they came
	for _, i := range want {
		require.Same(t, waiters[i], l.waiters[0])
		l.call(nil)
		require.Len(t, waiters[i].turn, 1)
	}
	assert.True(t, l.empty())
}

func TestLine_Ahead(t *testing.T) {
	start := time.Now()
	var l line
	for _, second := range []time.Duration{1, 3, 3, 5} {
		l.join(newWaiter(start.Add(second*time.Second), time.Time{}))
	}
	for second, want := range map[time.Duration]int{0: 0, 1: 1, 2: 1, 3: 3, 4: 3, 5: 4, 6: 4} {
		assert.Equal(t, want, l.ahead(start.Add(second*time.Second)), "began at %d s", second)
	}
}

func TestLine_Leave(t *testing.T) {
	start := time.Now()
	var l line
	var waiters []*waiter
	for range 5 {
		w := newWaiter(start, time.Time{}) // all began at once
		waiters = append(waiters, w)
		l.join(w)
	}
	assert.True(t, l.leave(waiters[2]))
	assert.False(t, l.leave(waiters[2]), "it is not there any more")
	l.call(nil)
	assert.False(t, l.leave(waiters[0]), "its turn has come")
	assert.Equal(t, []*waiter{waiters[1], waiters[3], waiters[4]}, l.waiters)
	assert.False(t, (&line{}).leave(waiters[1]), "an empty line")
}

func TestWaiter_Wait(t *testing.T) {
	refused := rateRefusal(time.Second)
	for _, tt := range []struct {
		name   string
		latest time.Duration // after now; zero if never
		act    func(w *waiter, cancelContext context.CancelFunc, cancel chan struct{})
		after  time.Duration
		called bool
		want   *refusal
	}{
		{name: "its turn", act: func(w *waiter, _ context.CancelFunc, _ chan struct{}) { w.turn <- nil }, after: time.Second, called: true},
		{name: "a refusal", act: func(w *waiter, _ context.CancelFunc, _ chan struct{}) { w.turn <- refused }, after: time.Second, called: true, want: refused},
		{name: "C27: the context ends", act: func(_ *waiter, stop context.CancelFunc, _ chan struct{}) { stop() }, after: time.Second},
		{name: "C27: Request.Cancel is closed", act: func(_ *waiter, _ context.CancelFunc, c chan struct{}) { close(c) }, after: time.Second},
		{name: "too late", latest: 700 * time.Millisecond, after: 700*time.Millisecond + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				cancel := make(chan struct{})
				begin := time.Now()
				var latest time.Time
				if tt.latest > 0 {
					latest = begin.Add(tt.latest)
				}
				w := newWaiter(begin, latest)
				if tt.act != nil {
					time.AfterFunc(time.Second, func() { tt.act(w, stop, cancel) })
				}
				got, called := w.wait(turnRequest{ctx: ctx, cancel: cancel}, latest)
				assert.Equal(t, tt.called, called)
				assert.Equal(t, tt.want, got)
				assert.Equal(t, tt.after, time.Since(begin))
			})
		})
	}
}
