package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tencenthttp/tencenthttp/bench/report"
)

// output is where the results go: tables to w, CSV and plots to files.
type output struct {
	w       io.Writer
	why     bool
	dir     string // empty: no files
	summary *report.Summary
	file    *os.File // of the summary
}

func newOutput(o *options, w io.Writer) (*output, error) {
	out := &output{w: w, why: o.why, dir: o.out}
	if out.dir == "" {
		return out, nil
	}
	if err := os.MkdirAll(out.dir, 0o755); err != nil {
		return nil, err
	}
	var err error
	if out.file, err = os.Create(filepath.Join(out.dir, "summary.csv")); err != nil {
		return nil, err
	}
	out.summary = report.NewSummary(out.file)
	return out, nil
}

func (out *output) close() {
	if out.file != nil {
		out.file.Close()
	}
}

// add reports on a scenario.
func (out *output) add(runs report.Runs) error {
	report.Table(out.w, runs)
	report.Shares(out.w, runs)
	if out.why {
		report.Causes(out.w, runs)
	}
	if out.dir == "" {
		return nil
	}
	if err := out.summary.Add(runs); err != nil {
		return err
	}
	name := runs.Scenario.Name
	for _, results := range runs.Policies {
		course := func(w io.Writer) error { return report.Course(w, results) }
		if err := out.write(name+"-"+results[0].Policy+".csv", course); err != nil {
			return err
		}
	}
	for suffix, draw := range map[string]func(io.Writer, report.Runs) error{".png": report.PNG, ".svg": report.SVG} {
		if err := out.write(name+suffix, func(w io.Writer) error { return draw(w, runs) }); err != nil {
			return err
		}
	}
	fmt.Fprintf(out.w, "\nsee %s\n", filepath.Join(out.dir, fileName(name)+".*"))
	return nil
}

func (out *output) write(name string, content func(io.Writer) error) error {
	f, err := os.Create(filepath.Join(out.dir, fileName(name)))
	if err != nil {
		return err
	}
	if err := content(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// fileName makes any name one of a file in the directory.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, r) {
			return '_'
		}
		return r
	}, name)
}
