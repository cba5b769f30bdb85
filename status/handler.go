package status

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // page.html and page.css
	"encoding/base64"
	"encoding/json"
	"html/template"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string

	page = template.Must(template.New("page").Funcs(template.FuncMap{
		"chart": newChart, "figure": figure, "seconds": seconds, "css": func() template.CSS { return template.CSS(pageCSS) },
	}).Parse(pageHTML))

	// policy allows the page's own style and an icon that is empty, and nothing else.
	policy = func() string {
		sum := sha256.Sum256([]byte(pageCSS))
		return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	}()
)

// ServeHTTP implements http.Handler: the page, or JSON for those who prefer it. With ?refresh=0 the page does not load itself again.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "the page can only be read", http.StatusMethodNotAllowed)
		return
	}
	var b bytes.Buffer
	var err error
	kind := "text/html; charset=utf-8"
	if prefersJSON(r.Header.Values("Accept")) {
		kind = "application/json"
		err = json.NewEncoder(&b).Encode(p.Snapshot())
	} else {
		err = page.Execute(&b, p.view(r.URL.Query().Get("refresh") == "0"))
	}
	if err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	header.Set("Content-Type", kind)
	header.Set("Content-Length", strconv.Itoa(b.Len()))
	header.Set("Content-Security-Policy", policy)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Vary", "Accept")
	_, _ = w.Write(b.Bytes()) // whoever asked has gone, if that fails
}

// view is a Snapshot with what only the page needs.
type view struct {
	Snapshot
	Refresh int // in seconds; 0: it stays as it is
	Paused  bool
	Now     string
	Uptime  string
	Recent  recent
}

// recent is the newest complete step.
type recent struct{ Attempts, Throttled, Failed, Refused float64 } // per second

func (p *Page) view(paused bool) view {
	s := p.Snapshot()
	v := view{Snapshot: s, Refresh: int(p.refresh.Seconds()), Paused: paused, Now: s.Time.Format("15:04:05"), Uptime: seconds(s.Time.Sub(s.Since).Seconds())}
	if paused {
		v.Refresh = 0
	}
	i, t := steps-2, s.Total
	perSecond := func(n uint32) float64 { return float64(n) / step.Seconds() }
	v.Recent = recent{
		Attempts:  perSecond(t.Succeeded[i] + t.Throttled[i] + t.Faults[i] + t.Failed[i]),
		Throttled: perSecond(t.Throttled[i]), Failed: perSecond(t.Faults[i] + t.Failed[i]), Refused: perSecond(t.Refused[i]),
	}
	return v
}

// seconds writes a time for people.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= time.Minute:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// prefersJSON tells whether JSON is named in an Accept header and nothing that stands for HTML is wanted more.
func prefersJSON(accept []string) bool {
	var jsonQ, htmlQ float64
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if given, err := strconv.ParseFloat(params["q"], 64); err == nil {
			q = given
		}
		switch kind {
		case "application/json":
			jsonQ = q
		case "text/html", "application/xhtml+xml":
			htmlQ = max(htmlQ, q)
		}
	}
	return jsonQ > htmlQ
}
