package main

import (
	"fmt"
	"io"
	"slices"
)

// The contenders that the others are compared with.
const (
	bare  = "bare"
	floor = "floor"
)

// print writes the group as a Markdown table.
func (g *group) print(out io.Writer) error {
	rounds := len(g.samples[bare])
	if rounds == 0 || len(g.samples[floor]) == 0 {
		return fmt.Errorf("%s, %s: %s or %s was not measured", g.base, g.size, bare, floor)
	}
	for _, via := range g.via {
		if len(g.samples[via]) != rounds {
			return fmt.Errorf("%s, %s: %s has %d rounds, %s %d", g.base, g.size, via, len(g.samples[via]), bare, rounds)
		}
	}
	fmt.Fprintf(out, "\n%s, %s, medians of %d rounds\n\n", g.base, g.size, rounds)
	fmt.Fprintln(out, "| via | ns/call | × bare | added ns | × floor's | added allocs | added B |")
	fmt.Fprintln(out, "|---|--:|--:|--:|--:|--:|--:|")
	for _, via := range g.via {
		if via == bare {
			fmt.Fprintf(out, "| %s | %.0f | | | | | |\n", bare, g.median(bare, func(s, _, _ sample) float64 { return s.ns }))
			continue
		}
		fmt.Fprintf(out, "| %s | %.0f | %.2f | %.0f | %s | %.0f | %.0f |\n", via,
			g.median(via, func(s, _, _ sample) float64 { return s.ns }),
			g.median(via, func(s, bare, _ sample) float64 { return s.ns / bare.ns }),
			g.median(via, func(s, bare, _ sample) float64 { return s.ns - bare.ns }),
			g.timesFloor(via),
			g.median(via, func(s, bare, _ sample) float64 { return s.allocs - bare.allocs }),
			g.median(via, func(s, bare, _ sample) float64 { return s.bytes - bare.bytes }))
	}
	return nil
}

// timesFloor is what via adds as a multiple of what the floor adds. It has no meaning where the floor's own part is lost in
// the noise: it adds less than 1 % of a bare call, or in a quarter of the rounds less than half of what it adds in most.
func (g *group) timesFloor(via string) string {
	added := g.sorted(floor, func(s, bare, _ sample) float64 { return (s.ns - bare.ns) / bare.ns })
	usual := added[len(added)/2]
	if usual < .01 || added[len(added)/4] < usual/2 {
		return "noise"
	}
	return fmt.Sprintf("%.2f", g.median(via, func(s, bare, floor sample) float64 { return (s.ns - bare.ns) / (floor.ns - bare.ns) }))
}

// sorted returns a figure of every round, made of via's sample and of what bare and the floor did in that round.
func (g *group) sorted(via string, figure func(s, bare, floor sample) float64) []float64 {
	values := make([]float64, 0, len(g.samples[via]))
	for round, s := range g.samples[via] {
		values = append(values, figure(s, g.samples[bare][round], g.samples[floor][round]))
	}
	slices.Sort(values)
	return values
}

func (g *group) median(via string, figure func(s, bare, floor sample) float64) float64 {
	values := g.sorted(via, figure)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
