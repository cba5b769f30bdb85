package main

import (
	"errors"
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
	shown := errors.Join(report.Table(out.w, runs), report.Shares(out.w, runs))
	if out.why {
		shown = errors.Join(shown, report.Causes(out.w, runs))
	}
	if shown != nil || out.dir == "" {
		return shown
	}
	return out.save(runs)
}

// save writes the files of a scenario.
func (out *output) save(runs report.Runs) error {
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
	if err := out.write(name+".png", func(w io.Writer) error { return report.PNG(w, runs) }); err != nil {
		return err
	}
	if err := out.write(name+".svg", func(w io.Writer) error { return report.SVG(w, runs) }); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out.w, "\nsee %s\n", filepath.Join(out.dir, fileName(name)+".*"))
	return err
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
