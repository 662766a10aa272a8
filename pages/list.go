package pages

import (
	"context"
	_ "embed" // the style of the list
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/ui"
)

//go:embed list.css
var listStyle string

// document returns a page without a script, in the style of the build monitor. It does
// not use html/template, because that package calls methods by name and so makes the
// linker keep all of them. body is HTML.
func document(title, body string) ui.Document {
	style := ui.Stylesheet() + listStyle
	return ui.Document{
		Style: ui.Source(style),
		HTML: `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>` + html.EscapeString(title) + ` · anything-mcp</title>
<style>` + style + `</style>
</head>
<body class="list">
<main>
` + body + `
</main>
</body>
</html>
`,
	}
}

// job is a build of list_builds or a run of list_runs.
type job struct {
	BuildID      string          `json:"build_id"`
	RunID        string          `json:"run_id"`
	Query        string          `json:"query"`
	Status       string          `json:"status"`
	OK           *bool           `json:"ok"`
	FunctionID   string          `json:"function_id"`
	FunctionName string          `json:"function_name"`
	Cost         json.RawMessage `json:"total_cost_usd"` // nil while the build runs; null: not known
	StartedAt    time.Time       `json:"started_at"`
}

// jobList is what list_builds or list_runs returns.
type jobList struct {
	Builds     []job    `json:"builds"`
	Runs       []job    `json:"runs"`
	Next       string   `json:"next_cursor"`
	SpentToday *float64 `json:"spent_today_usd"`
}

// list answers with the newest builds and runs. The queries builds and runs of its
// address are the cursors of later pages.
func (p *pages) list(w http.ResponseWriter, r *http.Request) {
	var body strings.Builder
	if p.Simulated {
		body.WriteString(`<p id="simulated">Simulated: nothing is real, nothing is billed</p>`)
	}
	body.WriteString(`<header class="bar"><h1>Builds and runs</h1>`)
	if p.Token != "" {
		body.WriteString(`<form method="post" action="/sign-out"><button class="quiet">Sign out</button></form>`)
	}
	body.WriteString("</header>")
	p.writeJobs(r, &body, section{
		"builds", "Builds", "There are none yet. An assistant, or <code>anything-mcp build</code>, makes one.",
		`<th scope="col">Started</th><th scope="col">State</th><th scope="col" class="number">Cost</th><th scope="col">Build</th>`, buildRow,
	})
	p.writeJobs(r, &body, section{
		"runs", "Runs", "There are none yet.",
		`<th scope="col">Started</th><th scope="col">State</th><th scope="col">Run of the function</th>`, runRow,
	})
	writePage(w, http.StatusOK, document("Builds and runs", body.String()))
}

// section is the part of the list with the jobs of a kind. All but its kind is HTML.
type section struct {
	kind  string // as in the name of the tool, and in the address of a later page
	title string
	none  string // the sentence in place of an empty table
	head  string // the cells of the table's head
	row   func(job) string
}

func (p *pages) writeJobs(r *http.Request, body *strings.Builder, s section) {
	fmt.Fprintf(body, `<section aria-labelledby="%[1]s"><h2 id="%[1]s">%[2]s</h2>`, s.kind, s.title)
	defer body.WriteString("</section>")
	list, why := p.ask(r.Context(), "list_"+s.kind, r.URL.Query().Get(s.kind))
	if why != "" {
		body.WriteString(`<p class="error" role="alert">` + html.EscapeString(why) + "</p>")
		return
	}
	if list.SpentToday != nil {
		fmt.Fprintf(body, `<p class="label">Spent today: $%.2f</p>`, *list.SpentToday)
	}
	jobs := append(list.Builds, list.Runs...)
	if len(jobs) == 0 {
		body.WriteString(`<p class="label">` + s.none + "</p>")
		return
	}
	body.WriteString("<table><thead><tr>" + s.head + "</tr></thead><tbody>")
	for _, one := range jobs {
		body.WriteString(s.row(one))
	}
	body.WriteString("</tbody></table>")
	if list.Next != "" {
		fmt.Fprintf(body, `<p><a href="/?%[1]s=%[2]s">Older %[1]s</a></p>`, s.kind, url.QueryEscape(list.Next))
	}
}

func buildRow(b job) string {
	function := ""
	if b.FunctionID != "" {
		function = `<br><span class="label" dir="auto">` + html.EscapeString(b.FunctionName) + "</span>"
	}
	return fmt.Sprintf(`<tr><td>%s</td><td data-state="%[2]s">%[2]s</td><td class="number">%s</td><td><a href="/builds/%s" dir="auto">%s</a>%s</td></tr>`,
		timeOf(b.StartedAt), html.EscapeString(b.Status), costOf(b.Cost), url.PathEscape(b.BuildID), html.EscapeString(b.Query), function)
}

func runRow(r job) string {
	state, tone := r.Status, r.Status
	switch {
	case r.OK != nil && *r.OK:
		state, tone = "done", "done"
	case r.Status == "closed", r.Status == "failed":
		state, tone = "failed", "error"
	}
	return fmt.Sprintf(`<tr><td>%s</td><td data-state="%s">%s</td><td><a href="/runs/%s">%s</a></td></tr>`,
		timeOf(r.StartedAt), html.EscapeString(tone), html.EscapeString(state), url.PathEscape(r.RunID), html.EscapeString(r.FunctionID))
}

// ask calls a tool that lists jobs. It returns why that is not possible, or the list.
func (p *pages) ask(ctx context.Context, tool, cursor string) (list jobList, why string) {
	const failed = "The list could not be read. The server's log may say why."
	arguments, _ := json.Marshal(map[string]string{"cursor": cursor}) // a string always marshals
	result, found := p.Call(ctx, tool, arguments)
	switch {
	case !found:
		return list, failed
	case result.IsError && len(result.Content) > 0:
		said, _ := result.Content[0].(mcp.TextContent)
		return list, said.Text
	case json.Unmarshal(result.RawStructuredContent, &list) != nil:
		return list, failed
	}
	return list, ""
}

// timeOf returns a time in the zone of this machine.
func timeOf(t time.Time) string {
	return `<time datetime="` + t.Format(time.RFC3339) + `">` + t.Local().Format("2006-01-02 15:04") + "</time>"
}

// costOf returns what a build has cost.
func costOf(raw json.RawMessage) string {
	var usd *float64
	switch err := json.Unmarshal(raw, &usd); {
	case len(raw) == 0:
		return "–"
	case err != nil, usd == nil:
		return "not known"
	}
	return fmt.Sprintf("$%.2f", *usd)
}
