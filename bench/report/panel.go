package report

import (
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// newPanels returns a panel for each policy, in rows.
func newPanels(runs Runs) ([][]*plot.Plot, error) {
	rows, columns := grid(runs)
	panels := make([][]*plot.Plot, rows)
	seconds, most := extent(runs)
	for i, results := range runs.Policies {
		p, err := newPanel(runs.Scenario, results[0], most)
		if err != nil {
			return nil, err
		}
		p.X.Max = seconds
		panels[i/columns] = append(panels[i/columns], p)
	}
	for last := rows - 1; len(panels[last]) < columns; {
		panels[last] = append(panels[last], nil)
	}
	return panels, nil
}

func newPanel(s sim.Scenario, r *sim.Result, most float64) (*plot.Plot, error) {
	p := plot.New()
	p.BackgroundColor = color.White
	p.Title.Text = r.Policy
	p.Title.TextStyle.Font.Size = 10
	p.X.Tick.Label.Font.Size, p.Y.Tick.Label.Font.Size = 8, 8
	p.Y.Scale, p.Y.Tick.Marker = root{}, rootTicks(most)
	if from, until := s.Disturbed(); until > 0 {
		band, err := plotter.NewPolygon(plotter.XYs{
			{X: from.Seconds(), Y: 0}, {X: until.Seconds(), Y: 0}, {X: until.Seconds(), Y: most}, {X: from.Seconds(), Y: most},
		})
		if err != nil {
			return nil, err
		}
		band.Color, band.Width = color.Gray{235}, 0
		p.Add(band)
	}
	for _, curve := range curves {
		points, seen := make(plotter.XYs, len(r.Seconds)), false
		for i, second := range r.Seconds {
			points[i] = plotter.XY{X: float64(i) + .5, Y: curve.of(second)}
			seen = seen || points[i].Y > 0
		}
		if !seen { // such as a quota that there is not
			continue
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, err
		}
		line.LineStyle = curve.style()
		p.Add(line)
	}
	p.X.Min, p.Y.Min, p.Y.Max = 0, 0, most
	return p, nil
}

// extent returns how long the longest run lasted, and the highest rate in any.
func extent(runs Runs) (seconds, most float64) {
	for _, results := range runs.Policies {
		seconds = max(seconds, float64(len(results[0].Seconds)))
		for _, second := range results[0].Seconds {
			for _, curve := range curves {
				most = max(most, curve.of(second))
			}
		}
	}
	return max(1, seconds), max(1, most) * 1.05
}

// rootTicks returns round marks, 1, 2, 5, 10 and so on, as far as a square-root scale has room for them.
func rootTicks(most float64) plot.ConstantTicks {
	const room = .06 // of the axis
	ticks := plot.ConstantTicks{{Value: 0, Label: "0"}}
	last := 0.
	for power := 1.; power <= most; power *= 10 {
		for _, n := range []float64{1, 2, 5} {
			at := root{}.Normalize(0, most, n*power)
			if at <= 1 && at-last >= room {
				ticks = append(ticks, plot.Tick{Value: n * power, Label: strconv.FormatFloat(n*power, 'f', -1, 64)})
				last = at
			}
		}
	}
	return ticks
}
