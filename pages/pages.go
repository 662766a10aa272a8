// Package pages shows the builds and runs of an account to a person in a browser: a
// list of them, and the build monitor for each.
package pages

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/ui"
)

// Options sets up [New]. Call is required.
type Options struct {
	// Call calls one of this server's tools, and returns false if there is no tool of
	// that name. It must be safe for concurrent use.
	Call func(ctx context.Context, name string, arguments json.RawMessage) (*mcp.CallToolResult, bool)

	// Token is what a person signs in with. Code lets the first who has it in, once, as
	// ?code=… of any page. With neither, whoever can reach the pages can use them.
	Token, Code string

	// TokenPlace says where the token is, to follow "This server needs its token,
	// which is". It may be empty.
	TokenPlace string

	Simulated bool         // nothing is real; the list says so
	Logger    *slog.Logger // gets a line for each wrong token; nil: none
}

// pages serves the pages. It is safe for concurrent use.
type pages struct {
	Options
	access *access
}

// New returns the handler of the pages and of what they call. It checks who asks, and
// that a request which changes something comes from one of its own pages. Whoever
// mounts it must refuse requests to a foreign host, because without a token a page of
// that host could ask for anything.
func New(opts Options) *http.ServeMux {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	p := &pages{opts, newAccess(opts.Token, opts.Code)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.forPeople(p.list))
	mux.HandleFunc("GET /builds/{id}", p.forPeople(p.monitor))
	mux.HandleFunc("GET /runs/{id}", p.forPeople(p.monitor))
	mux.HandleFunc("POST /api/call", p.call)
	mux.HandleFunc("POST /sign-in", p.signIn)
	mux.HandleFunc("POST /sign-out", p.signOut)
	for _, form := range []string{"GET /sign-in", "GET /sign-out"} { // a form's address, opened again
		mux.HandleFunc(form, func(w http.ResponseWriter, r *http.Request) { redirect(w, r, "/") })
	}
	return mux
}

// monitor answers with the build monitor. The page itself asks for the job, and says so
// if there is none.
func (p *pages) monitor(w http.ResponseWriter, _ *http.Request) {
	writePage(w, http.StatusOK, ui.PersonPage())
}

// forPeople lets only people with a session reach a page.
func (p *pages) forPeople(page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allowed, code := p.access.allows(r), r.URL.Query().Get("code")
		switch {
		case code != "" && allowed:
			redirect(w, r, r.URL.EscapedPath())
		case code != "" && r.Method == http.MethodGet && p.access.redeem(code):
			p.access.begin(w, r)
			redirect(w, r, r.URL.EscapedPath())
		case allowed:
			page(w, r)
		case r.Header.Get("Sec-Fetch-Site") == "cross-site":
			// Another site links here, and so the browser kept the cookie back. It
			// sends the cookie when the page loads itself.
			w.Header().Set("Refresh", "0")
			writePage(w, http.StatusOK, document("One moment", "<p>One moment…</p>"))
		case p.Token != "":
			p.askForToken(w, http.StatusUnauthorized, r.URL.RequestURI(), "")
		default:
			writePage(w, http.StatusForbidden, document("Not open here", codeUsed))
		}
	}
}

const codeUsed = `<h1>This page is not open to this browser</h1>
<p>The address that the command printed opens it once. Go on in the browser that was used first, or run the command again.</p>`

// writePage writes a page with the headers of all of them. Nothing is cached, because
// the next person at this browser may not be signed in.
//
// The referrer policy must let the browser send the origin with a form: under
// no-referrer, Chromium sends the origin null.
func writePage(w http.ResponseWriter, status int, page ui.Document) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	policy := "default-src 'none'; style-src " + page.Style + "; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	if page.Script != "" {
		policy += "; script-src " + page.Script
	}
	h.Set("Content-Security-Policy", policy)
	setHeaders(h)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(page.HTML)) // an error means that the browser is gone
}

// setHeaders sets the headers of every answer.
func setHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// redirect sends the browser to one of the pages with GET.
func redirect(w http.ResponseWriter, r *http.Request, path string) {
	setHeaders(w.Header())
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// isOwnRequest reports whether a request that changes something comes from one of these
// pages. Browsers send the origin with every POST, and a page cannot change it.
func isOwnRequest(r *http.Request) bool {
	origin, err := url.Parse(r.Header.Get("Origin"))
	if err != nil || origin.Scheme != "http" && origin.Scheme != "https" || !strings.EqualFold(origin.Host, r.Host) {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site") // older browsers do not send it
	return site == "" || site == "same-origin"
}
