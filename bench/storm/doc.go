// Storm shows what becomes of a fleet that calls Tencent Cloud when its quota is short or the service fails. It runs scenarios in virtual
// time with this project's Transport and with the libraries that others use, and prints what each made of them beside what is
// physically possible.
//
//	go run -C bench ./storm                                             all of the comparison, about ten minutes on two cores
//	go run -C bench ./storm -scenario S1,S3 -policy ours,bare -seeds 1  a part of it, in seconds
//	go run -C bench ./storm -scenario S1 -quota.rate 100                with another quota; every key of a scenario is a flag
//	go run -C bench ./storm -arrivals.rate 30 -arrivals.for 60s -quota.rate 20 -quota.burst 20 -policy ours -maxWait 3s
//	go run -C bench ./storm -file storm/example.yaml                    with a fleet of one's own
//	go run -C bench ./storm -list                                       what there is
//
// The tables have the medians over the seeds. The directory storm.out takes summary.csv with all numbers of every run, a CSV with the
// course of each policy second by second, and a plot of each scenario as PNG and SVG. The columns are explained in ../README.md.
package main
