package report

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/tencenthttp/tencenthttp/bench/sim"
)

// The sizes of a figure: panels side by side, under a heading with the legend.
const (
	panelWidth    = 10 * vg.Centimeter
	panelHeight   = 6 * vg.Centimeter
	headingHeight = 2.2 * vg.Centimeter
	maxColumns    = 3
)

// curve is one line of a panel.
type curve struct {
	name   string
	color  color.Color
	width  vg.Length
	dashes []vg.Length
	of     func(sim.Second) float64
}

// curves are drawn in this order, so that what matters most comes on top.
var curves = []curve{
	{"offered", color.Gray{170}, 1, nil, func(s sim.Second) float64 { return float64(s.Offered) }},
	{"sent", color.RGBA{230, 150, 20, 255}, 1, nil, func(s sim.Second) float64 { return float64(s.Sent) }},
	{"throttled", color.RGBA{200, 30, 40, 255}, 1, nil, func(s sim.Second) float64 { return float64(s.Throttled) }},
	{"accepted", color.RGBA{20, 120, 60, 255}, 1.2, nil, func(s sim.Second) float64 { return float64(s.Accepted) }},
	{"quota", color.Black, .8, []vg.Length{3, 2}, func(s sim.Second) float64 { return s.Quota }},
}

// Plot draws the course of each policy's first run, in calls or requests per second. All panels have the same axes. Those of the rates are stretched
// by a square root: a storm of hundreds and a quota of twenty must both be seen.
func Plot(canvas vg.CanvasSizer, runs Runs) error {
	width, height := canvas.Size()
	dc := draw.NewCanvas(canvas, width, height)
	dc.SetColor(color.White)
	dc.Fill(dc.Rectangle.Path())
	heading(draw.Crop(dc, 10, -10, height-headingHeight, -6), runs.Scenario)
	panels, err := newPanels(runs)
	if err != nil {
		return err
	}
	tiles := draw.Tiles{Rows: len(panels), Cols: len(panels[0]), PadX: 8, PadY: 8, PadLeft: 6, PadRight: 10, PadBottom: 6}
	for row, canvases := range plot.Align(panels, tiles, draw.Crop(dc, 0, 0, 0, -headingHeight)) {
		for column, c := range canvases {
			if p := panels[row][column]; p != nil {
				p.Draw(c)
			}
		}
	}
	return nil
}

// PNG and SVG write the figure.
func PNG(w io.Writer, runs Runs) error {
	width, height := size(runs)
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(110))}
	if err := Plot(c, runs); err != nil {
		return err
	}
	_, err := c.WriteTo(w)
	return err
}

// SVG is PNG's counterpart.
func SVG(w io.Writer, runs Runs) error {
	c := vgsvg.New(size(runs))
	if err := Plot(c, runs); err != nil {
		return err
	}
	_, err := c.WriteTo(w)
	return err
}

func grid(runs Runs) (rows, columns int) {
	columns = min(len(runs.Policies), maxColumns)
	return (len(runs.Policies) + columns - 1) / columns, columns
}

func size(runs Runs) (width, height vg.Length) {
	rows, columns := grid(runs)
	return max(2, vg.Length(columns)) * panelWidth, vg.Length(rows)*panelHeight + headingHeight
}

func heading(c draw.Canvas, s sim.Scenario) {
	style := plot.New().Title.TextStyle
	style.Font.Size, style.XAlign, style.YAlign = 14, draw.XLeft, draw.YTop
	c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, fmt.Sprintf("%s: %s", s.Name, s.Title))
	style.Font.Size = 10
	c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y - 22}, "per second (square-root scale) over seconds; physical limit: "+describe(&s))
	style.Font.Size = 9
	x, y := c.Min.X, c.Max.Y-42
	for _, curve := range curves {
		line := curve.style()
		line.Width *= 1.5
		c.StrokeLine2(line, x, y-5, x+20, y-5)
		c.FillText(style, vg.Point{X: x + 24, Y: y}, curve.name)
		x += 80
	}
}

func (c curve) style() draw.LineStyle {
	return draw.LineStyle{Color: c.color, Width: c.width, Dashes: c.dashes}
}

// root is the scale of the rates.
type root struct{}

// Normalize implements plot.Normalizer.
func (root) Normalize(least, most, x float64) float64 {
	return (math.Sqrt(max(0, x)) - math.Sqrt(least)) / (math.Sqrt(most) - math.Sqrt(least))
}
