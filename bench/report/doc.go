// Package report shows what became of scenarios: as a table, as CSV and as plots.
package report
