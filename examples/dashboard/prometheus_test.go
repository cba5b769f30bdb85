package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const observability = "../../observability/"

// scraper is a real Prometheus that scrapes the example every second.
type scraper string

func newScraper(t *testing.T) scraper {
	t.Helper()
	binary := program(t, "prometheus")
	rules, err := filepath.Abs(observability + "alerts.yaml")
	require.NoError(t, err)
	dir := t.TempDir()
	config := fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs: [{job_name: dashboard, static_configs: [{targets: [%q]}]}]
`, rules, strings.TrimPrefix(example.URL, "http://"))
	require.NoError(t, os.WriteFile(dir+"/prometheus.yaml", []byte(config), 0o600))
	address := freeAddress(t)
	cmd := exec.Command(binary, "--config.file="+dir+"/prometheus.yaml", "--storage.tsdb.path="+dir+"/data",
		"--web.listen-address="+address, "--log.level=error", "--enable-feature=exemplar-storage")
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed, and says so
	})
	return scraper("http://" + address + "/api/v1/")
}

// freeAddress returns an address on which nobody listens. Prometheus does not say which port it got.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// ask returns the data of an answer of Prometheus's API.
func (s scraper) ask(ctx context.Context, path string, query url.Values, data any) error {
	body, err := get(ctx, string(s)+path+"?"+query.Encode(), "application/json")
	if err != nil {
		return err
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("%v: %s", query, answer.Error)
	}
	return nil
}

// value returns the first value of a query that is a number.
func (s scraper) value(ctx context.Context, query string) (string, error) {
	var data struct {
		Result []struct{ Value [2]any }
	}
	if err := s.ask(ctx, "query", url.Values{"query": {query}}, &data); err != nil {
		return "", err
	}
	for _, series := range data.Result {
		if value := fmt.Sprint(series.Value[1]); value != "NaN" {
			return value, nil
		}
	}
	return "", nil
}

// dashboardQueries returns the queries of the Grafana dashboard by panel, with everything selected.
func dashboardQueries(t *testing.T) map[string]string {
	t.Helper()
	var board struct {
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Panels []struct {
			Title   string
			Targets []struct{ RefID, Expr string }
		}
	}
	data, err := os.ReadFile(observability + "grafana.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &board))
	everything := strings.NewReplacer("$__rate_interval", "15s", "$service", ".*", "$action", ".*", "$region", ".*")
	queries := map[string]string{}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			queries[panel.Title+" "+target.RefID] = everything.Replace(target.Expr)
		}
	}
	for _, variable := range board.Templating.List {
		if list, ok := strings.CutPrefix(variable.Definition, "label_values("); ok {
			metric, label, _ := strings.Cut(strings.TrimSuffix(list, ")"), ", ")
			queries["variable "+variable.Name] = fmt.Sprintf(`count by (%s) (%s{%s!=""})`, label, metric, label)
		}
	}
	for name, query := range queries {
		require.NotContains(t, query, "$", name)
	}
	return queries
}

func TestObservability_EveryQueryHasAValue(t *testing.T) {
	t.Parallel()
	prometheus := newScraper(t)
	queries := dashboardQueries(t)
	require.Greater(t, len(queries), 15)
	var last error
	assert.Eventually(t, func() bool {
		for name, query := range queries {
			value, err := prometheus.value(t.Context(), query)
			if last = err; err != nil {
				return false // it does not listen yet
			}
			if value != "" {
				delete(queries, name)
			}
		}
		return len(queries) == 0
	}, 90*time.Second, 500*time.Millisecond)
	require.NoError(t, last)
	assert.Empty(t, queries, "without a value")
	prometheus.requireExemplar(t)
	prometheus.requireAlerts(t)
}

// requireExemplar checks that a duration leads to a trace.
func (s scraper) requireExemplar(t *testing.T) {
	t.Helper()
	var data []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	now := time.Now()
	require.NoError(t, s.ask(t.Context(), "query_exemplars", url.Values{
		"query": {"tencentcloud_client_call_duration_seconds_bucket"},
		"start": {now.Add(-time.Minute).UTC().Format(time.RFC3339)}, "end": {now.Add(time.Minute).UTC().Format(time.RFC3339)},
	}, &data))
	require.NotEmpty(t, data)
	assert.Len(t, data[0].Exemplars[0].Labels["trace_id"], 32)
}

// requireAlerts checks that each rule of the file sees what it is for: the example has all these troubles.
func (s scraper) requireAlerts(t *testing.T) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	data, err := os.ReadFile(observability + "alerts.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, &file))
	wanted := map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			wanted[rule.Alert] = true
		}
	}
	require.GreaterOrEqual(t, len(wanted), 4)
	assert.EventuallyWithT(t, func(t *assert.CollectT) {
		var data struct {
			Groups []struct {
				Rules []struct {
					Name, Health, LastError, State string
					Alerts                         []struct{ Value string }
				}
			}
		}
		require.NoError(t, s.ask(context.Background(), "rules", nil, &data))
		for _, group := range data.Groups {
			for _, rule := range group.Rules {
				if rule.State != "inactive" && len(rule.Alerts) > 0 {
					delete(wanted, rule.Name)
				}
				assert.Empty(t, rule.LastError)
			}
		}
		assert.Empty(t, wanted, "rules that have seen nothing")
	}, 60*time.Second, 500*time.Millisecond)
}
