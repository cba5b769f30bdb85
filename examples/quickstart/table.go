package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// row is an act and what came of it on both sides.
type row struct {
	act
	with, without outcome
}

// table prints what was called and what the service did, one below the other, beside what came of it with and without the transport.
func (n *narrator) table(rows []row) {
	left, middle := "  what the service did", "what the SDK returned"
	leftWidth, middleWidth := len(left), len(middle)
	for _, r := range rows {
		leftWidth = max(leftWidth, width(r.call), width(r.service)+2)
		middleWidth = max(middleWidth, width(r.with.returned), width(r.without.returned))
	}
	line := func(left, side, wire, middle, time string, colour style) {
		n.printf("%s  %-7s  %4s  %s  %7s\n", pad(left, leftWidth), side, wire, n.paint(colour, pad(middle, middleWidth)), time)
	}

	n.printf("\n%s\n", n.paint(faint, "call"))
	line(left, "", "wire", middle, "time", faint)
	n.printf("%s\n", strings.Repeat("-", leftWidth+2+7+2+4+2+middleWidth+2+7))
	for _, r := range rows {
		line(r.call, "with", fmt.Sprint(r.with.wire), r.with.returned, human(r.with.took), r.with.colour())
		line("  "+r.service, "without", fmt.Sprint(r.without.wire), r.without.returned, human(r.without.took), r.without.colour())
	}
}

// colour is that of success, if the SDK returned no error.
func (o outcome) colour() style {
	if o.count("ok") < len(o.errs) {
		return red
	}
	return green
}

func width(s string) int { return utf8.RuneCountInString(s) }

func pad(s string, to int) string { return s + strings.Repeat(" ", to-width(s)) }
