// Ratio reads the output of BenchmarkOverhead, several rounds of it, and prints for each base and size what every
// contender adds to a bare call, and how that compares with what the floor adds.
//
//	go run ./ratio overhead.txt
//
// All figures are medians. A difference and a ratio are taken within a round, so that a machine whose speed drifts from
// round to round does not spoil them.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("ratio: ")
	if err := run(os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: ratio FILE")
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	groups, err := parse(file)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := g.print(out); err != nil {
			return err
		}
	}
	return nil
}
