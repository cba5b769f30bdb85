// Storm runs scenarios of overload and outage, in virtual time, with this project's Transport and with the libraries that others
// use, and prints what each made of them.
//
//	go run -C bench ./storm -scenario S1,S3 -policy ours,bare -seeds 1,2
package main
