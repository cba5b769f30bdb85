package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// counts are one process's numbers, as it reports them.
type counts struct{ Accepted, Throttled, Failed int }

// counter may be used by any number of goroutines.
type counter struct{ n atomic.Int64 }

func (c *counter) add()       { c.n.Add(1) }
func (c *counter) value() int { return int(c.n.Load()) }

// totals are the fleet's numbers.
type totals struct{ accepted, throttled, failed int }

// board is the table that shows who gets what.
type board struct {
	w    io.Writer
	live bool // it is drawn over itself

	mu   sync.Mutex
	rows []row
}

// row is one process.
type row struct {
	weight int
	counts
	before int     // accepted at the last look
	rate   float64 // since then
}

func newBoard(w io.Writer, processes int) *board {
	b := &board{w: w, rows: make([]row, processes)}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			b.live = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return b
}

// read takes over what a process reports, until it ends.
func (b *board) read(process, weight int, reports io.Reader) {
	decoder := json.NewDecoder(reports)
	for {
		var c counts
		if decoder.Decode(&c) != nil {
			return
		}
		b.mu.Lock()
		b.rows[process].counts, b.rows[process].weight = c, weight
		b.mu.Unlock()
	}
}

// show draws the table once a second for so long; where it cannot be drawn over itself, once at the end.
func (b *board) show(length time.Duration) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	seconds := int(length / time.Second)
	for second := 1; second <= seconds; second++ {
		<-ticker.C
		b.look()
		if b.live && second > 1 {
			fmt.Fprintf(b.w, "\x1b[%dA", len(b.rows)+2)
		}
		if b.live || second == seconds {
			b.draw()
		}
	}
}

// look measures the rates of the last second.
func (b *board) look() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.rows {
		r := &b.rows[i]
		r.rate, r.before = float64(r.Accepted-r.before), r.Accepted
	}
}

func (b *board) draw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.w, "%-8s %8s %8s %10s %10s %8s\n", "process", "weight", "rate/s", "accepted", "throttled", "failed")
	var sum row
	for i, r := range b.rows {
		fmt.Fprintf(b.w, "%-8d %8d %8.0f %10d %10d %8d\n", i+1, r.weight, r.rate, r.Accepted, r.Throttled, r.Failed)
		sum.rate += r.rate
		sum.Accepted += r.Accepted
		sum.Throttled += r.Throttled
		sum.Failed += r.Failed
	}
	fmt.Fprintf(b.w, "%-8s %8s %8.0f %10d %10d %8d\n", "all", "", sum.rate, sum.Accepted, sum.Throttled, sum.Failed)
}

func (b *board) totals() totals {
	b.mu.Lock()
	defer b.mu.Unlock()
	var t totals
	for _, r := range b.rows {
		t.accepted += r.Accepted
		t.throttled += r.Throttled
		t.failed += r.Failed
	}
	return t
}
