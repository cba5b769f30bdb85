package status

import (
	"math"
	"strconv"
	"strings"
)

// chart is a History as areas in a box of steps x chartHeight: attempts a second, stacked, and calls that wait.
type chart struct {
	Succeeded, Throttled, Faults, Failed string // paths; the later ones are drawn over the earlier
	Limit, Waiting                       string
	Peak, PeakWaiting                    string // what the box's height stands for
	Words                                string // for those who do not see it
}

const chartHeight = 40

func newChart(h History) chart {
	n := len(h.Succeeded)
	stack := [4][]float64{} // failed, faults, throttled, succeeded: each with all below
	limit, waiting := make([]float64, n), make([]float64, n)
	var peak, peakWaiting float64
	for i := range n {
		sum := 0.0
		for layer, counts := range [][]uint32{h.Failed, h.Faults, h.Throttled, h.Succeeded} {
			sum += float64(counts[i]) / step.Seconds()
			stack[layer] = append(stack[layer], sum)
		}
		limit[i] = float64(h.Limit[i])
		waiting[i] = float64(h.Waited[i]) / step.Seconds() // a second of waiting in a second is one call that waits
		peak, peakWaiting = max(peak, sum), max(peakWaiting, waiting[i])
	}
	for _, l := range limit { // a limit far above what is sent would leave nothing to be seen
		if l <= 3*peak {
			peak = max(peak, l)
		}
	}
	return chart{
		Failed: area(stack[0], peak), Faults: area(stack[1], peak), Throttled: area(stack[2], peak), Succeeded: area(stack[3], peak),
		Limit: line(limit, peak), Waiting: area(waiting, peakWaiting),
		Peak: figure(peak), PeakWaiting: figure(peakWaiting),
		Words: "attempts a second in the last ten minutes, " + figure(peak) + " at most",
	}
}

// area draws values as steps down to the bottom of the box. Empty if there is nothing to see.
func area(values []float64, peak float64) string {
	if peak == 0 {
		return ""
	}
	var b strings.Builder
	at, seen := chartHeight, false
	b.WriteString("M0 " + strconv.Itoa(chartHeight))
	for i, value := range values {
		y := height(value, peak)
		seen = seen || y != chartHeight
		if y != at {
			b.WriteString("H" + strconv.Itoa(i) + "V" + strconv.Itoa(y))
			at = y
		}
	}
	if !seen {
		return ""
	}
	b.WriteString("H" + strconv.Itoa(len(values)) + "V" + strconv.Itoa(chartHeight) + "z")
	return b.String()
}

// line draws values where there are any, and where they are within the box.
func line(values []float64, peak float64) string {
	var b strings.Builder
	at := -1
	for i, value := range values {
		if value <= 0 || value > peak {
			at = -1
			continue
		}
		y := height(value, peak)
		switch at {
		case y:
		case -1:
			b.WriteString("M" + strconv.Itoa(i) + " " + strconv.Itoa(y))
		default:
			b.WriteString("V" + strconv.Itoa(y))
		}
		b.WriteString("H" + strconv.Itoa(i+1))
		at = y
	}
	return b.String()
}

// height returns where a value is drawn. What there is, is seen.
func height(value, peak float64) int {
	if value <= 0 {
		return chartHeight
	}
	return min(chartHeight-1, chartHeight-int(math.Round(value/peak*chartHeight)))
}

// figure writes a number in three digits or so.
func figure(v float64) string {
	switch {
	case v >= 100 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}
