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
	p.writeBuilds(r, &body)
	p.writeRuns(r, &body)
	writePage(w, http.StatusOK, document("Builds and runs", body.String()))
}

func (p *pages) writeBuilds(r *http.Request, body *strings.Builder) {
	body.WriteString(`<section aria-labelledby="builds"><h2 id="builds">Builds</h2>`)
	defer body.WriteString("</section>")
	var list struct {
		Builds     []job    `json:"builds"`
		Next       string   `json:"next_cursor"`
		SpentToday *float64 `json:"spent_today_usd"`
	}
	if why := p.ask(r.Context(), "list_builds", r.URL.Query().Get("builds"), &list); why != "" {
		writeError(body, why)
		return
	}
	if list.SpentToday != nil {
		fmt.Fprintf(body, `<p class="label">Spent today: $%.2f</p>`, *list.SpentToday)
	}
	if len(list.Builds) == 0 {
		body.WriteString(`<p class="label">There are none yet. An assistant, or <code>anything-mcp build</code>, makes one.</p>`)
		return
	}
	body.WriteString(`<table><thead><tr><th scope="col">Started</th><th scope="col">State</th><th scope="col" class="number">Cost</th><th scope="col">Build</th></tr></thead><tbody>`)
	for _, one := range list.Builds {
		function := ""
		if name := one.FunctionName + " "; one.FunctionID != "" {
			function = `<br><span class="label" dir="auto">` + html.EscapeString(strings.TrimSpace(name)) + "</span>"
		}
		fmt.Fprintf(body, `<tr><td>%s</td><td data-state="%s">%s</td><td class="number">%s</td><td><a href="/builds/%s" dir="auto">%s</a>%s</td></tr>`,
			timeOf(one.StartedAt), html.EscapeString(one.Status), html.EscapeString(one.Status), costOf(one.Cost),
			url.PathEscape(one.BuildID), html.EscapeString(one.Query), function)
	}
	body.WriteString("</tbody></table>")
	writeNext(body, "builds", list.Next)
}

func (p *pages) writeRuns(r *http.Request, body *strings.Builder) {
	body.WriteString(`<section aria-labelledby="runs"><h2 id="runs">Runs</h2>`)
	defer body.WriteString("</section>")
	var list struct {
		Runs []job  `json:"runs"`
		Next string `json:"next_cursor"`
	}
	if why := p.ask(r.Context(), "list_runs", r.URL.Query().Get("runs"), &list); why != "" {
		writeError(body, why)
		return
	}
	if len(list.Runs) == 0 {
		body.WriteString(`<p class="label">There are none yet.</p>`)
		return
	}
	body.WriteString(`<table><thead><tr><th scope="col">Started</th><th scope="col">State</th><th scope="col">Run of the function</th></tr></thead><tbody>`)
	for _, one := range list.Runs {
		state, tone := one.Status, one.Status
		switch {
		case one.OK != nil && *one.OK:
			state, tone = "done", "done"
		case one.Status == "closed", one.Status == "failed":
			state, tone = "failed", "error"
		}
		fmt.Fprintf(body, `<tr><td>%s</td><td data-state="%s">%s</td><td><a href="/runs/%s">%s</a></td></tr>`,
			timeOf(one.StartedAt), html.EscapeString(tone), html.EscapeString(state), url.PathEscape(one.RunID), html.EscapeString(one.FunctionID))
	}
	body.WriteString("</tbody></table>")
	writeNext(body, "runs", list.Next)
}

// ask calls a tool that lists jobs and decodes what it returns into list, or returns
// why that is not possible.
func (p *pages) ask(ctx context.Context, tool, cursor string, list any) (why string) {
	arguments, err := json.Marshal(map[string]string{"cursor": cursor})
	if err != nil {
		return err.Error()
	}
	const failed = "The list could not be read. The server's log may say why."
	result, found := p.Call(ctx, tool, arguments)
	switch {
	case !found:
		return failed
	case result.IsError && len(result.Content) > 0:
		said, _ := result.Content[0].(mcp.TextContent)
		return said.Text
	case json.Unmarshal(result.RawStructuredContent, list) != nil:
		return failed
	}
	return ""
}

func writeError(body *strings.Builder, why string) {
	body.WriteString(`<p class="error" role="alert">` + html.EscapeString(why) + "</p>")
}

// writeNext writes the link to the next page of a list, if there is one.
func writeNext(body *strings.Builder, list, cursor string) {
	if cursor != "" {
		fmt.Fprintf(body, `<p><a href="/?%s=%s">Older %s</a></p>`, list, url.QueryEscape(cursor), list)
	}
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
