package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// A sample is what one benchmark line says of one call.
type sample struct{ ns, bytes, allocs float64 }

// A group holds what was measured over one base at one size.
type group struct {
	base, size string
	via        []string // in the order of their first lines
	samples    map[string][]sample
}

// The number at the end is GOMAXPROCS, which go test leaves out if it is 1.
var benchmarkName = regexp.MustCompile(`^BenchmarkOverhead/base=([^/]+)/size=([^/]+)/via=(.+?)(-\d+)?$`)

// parse reads benchmark lines and skips all others. The n-th line of a name belongs to the n-th round.
func parse(in io.Reader) ([]*group, error) {
	var groups []*group
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		name := benchmarkName.FindStringSubmatch(fields[0])
		if name == nil || len(fields) < 2 {
			continue
		}
		s, err := parseSample(fields[2:])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fields[0], err)
		}
		groups = add(groups, name[1], name[2], name[3], s)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(groups) == 0 {
		return nil, errors.New("no line of BenchmarkOverhead")
	}
	return groups, nil
}

// parseSample reads pairs of a value and its unit.
func parseSample(fields []string) (sample, error) {
	var s sample
	for i := 0; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return s, err
		}
		switch fields[i+1] {
		case "ns/op":
			s.ns = value
		case "B/op":
			s.bytes = value
		case "allocs/op":
			s.allocs = value
		}
	}
	if s.ns == 0 {
		return s, errors.New("no ns/op")
	}
	return s, nil
}

func add(groups []*group, base, size, via string, s sample) []*group {
	var g *group
	for _, known := range groups {
		if known.base == base && known.size == size {
			g = known
		}
	}
	if g == nil {
		g = &group{base: base, size: size, samples: make(map[string][]sample)}
		groups = append(groups, g)
	}
	if len(g.samples[via]) == 0 {
		g.via = append(g.via, via)
	}
	g.samples[via] = append(g.samples[via], s)
	return groups
}
