// Package ui holds the build monitor: one page that shows a build or a run while it
// goes on, for the frame of a host with MCP Apps and for a person's browser.
//
// The page is monitor.html, in which the first <style></style> gets monitor.css and
// the first <script></script> gets the scripts, joined, without their comments and
// indents. The first script is the page's port: bridge.js in a host, and person.js in
// a browser. It has the same functions and the same kinds of advice in both, which is
// all that the others know of their surroundings.
//
// In a host the document makes no request: the host's tools/call is its only road.
// In a browser it is served at /builds/{build_id} and /runs/{run_id}. Its only
// requests are POSTs to /api/call on the same origin, with the JSON object
//
//	{"name": "follow_job", "arguments": {"job_id": "build_…", "after": 0, "wait_seconds": 15}}
//
// Such a request is answered with the CallToolResult as JSON and the status 200, even
// if isError is true. Only the page's own tools are there: follow_job, cancel_build,
// cancel_run, get_function, run_function and get_run. With 401 the person has to sign
// in: the page loads itself again, and the server then asks for the token. Any other
// status is lost contact. The address / lists the builds and runs.
//
// The structured content of follow_job has
//
//	job        what get_build or get_run returns; missing if there is no such build yet
//	entries    seq, at (seconds since the start), type, text (at most 2,000 characters)
//	next       the next call's after
//	more       true: the next call returns at once with further entries
//	simulated  true: the sandbox
//
// The types of entries are Notte's types of events, where they have something to show:
// status, tool_start (text: the tool), function_uploaded (text: the function's name, or
// else its ID), notte_session_data (no text: viewer_url of job is the link), log (a
// line of a run), the last one of an ended job (done, error, timeout, cancelled,
// interrupted, result; text: why), and thinking and text: neighbouring deltas are one
// entry, and the first entry of an answer may go on with the last one of the answer
// before.
//
// In a browser the CSP allows the page's own style and script by their hashes, and
// connect-src 'self': no style attributes, no inline handlers, no other files.
package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

var (
	//go:embed monitor.html
	frame string
	//go:embed monitor.css
	style string
	//go:embed *.js
	scripts embed.FS
)

// Calls reports whether the page calls the tool of a name.
func Calls(tool string) bool {
	switch tool {
	case "follow_job", "cancel_build", "cancel_run", "get_function", "run_function", "get_run":
		return true
	}
	return false
}

// Document is an HTML document that needs no other file.
type Document struct {
	HTML string

	// Style and Script are the sources of its inline style and script for a
	// Content-Security-Policy, such as 'sha256-…'.
	Style, Script string
}

// Page returns the page for the frame of a host. It is safe for concurrent use, like
// the other functions.
func Page() string { return pageForHost() }

// Version returns a hash of [Page]. Hosts keep a page by its address, so that the
// address must change with the page.
func Version() string { return version() }

// PersonPage returns the page for a person's browser.
func PersonPage() Document { return pageForPerson() }

// Stylesheet returns the style of the page, for others that look like it.
func Stylesheet() string { return stylesheet() }

var (
	pageForHost   = sync.OnceValue(func() string { return assemble("bridge.js").HTML })
	pageForPerson = sync.OnceValue(func() Document { return assemble("person.js") })

	stylesheet = sync.OnceValue(func() string { return squeeze(style) })

	version = sync.OnceValue(func() string {
		sum := sha256.Sum256([]byte(Page()))
		return hex.EncodeToString(sum[:6])
	})
)

// order has the scripts in an order in which each finds what it needs at once.
var order = []string{"text.js", "host.js", "follow.js", "form.js", "run.js", "view.js", "monitor.js"}

// assemble returns the page with the port in a script. The scripts share a block, so
// that their names hide none of the browser's.
func assemble(port string) Document {
	var script strings.Builder
	script.WriteString("\"use strict\";\n{\n")
	for _, name := range slices.Concat([]string{port}, order) {
		source, err := scripts.ReadFile(name)
		if err != nil {
			panic("ui: " + err.Error())
		}
		script.Write(source)
	}
	script.WriteString("}")
	js, css := squeeze(script.String()), stylesheet()
	fill := strings.NewReplacer("<style></style>", "<style>"+css+"</style>", "<script></script>", "<script>"+js+"</script>")
	return Document{HTML: fill.Replace(withoutIndents(frame)), Style: Source(css), Script: Source(js)}
}

// Source returns the source of an inline style or script for a
// Content-Security-Policy.
func Source(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
