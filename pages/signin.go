package pages

import (
	"fmt"
	"html"
	"net"
	"net/http"
	"strings"
)

// maxForm bounds the body of a form, in bytes.
const maxForm = 16 << 10

// askForToken answers with the form that signs a person in. next is the address that
// was asked for.
func (p *pages) askForToken(w http.ResponseWriter, status int, next, wrong string) {
	place := ""
	if p.TokenPlace != "" {
		place = ", which is " + html.EscapeString(p.TokenPlace)
	}
	if wrong != "" {
		wrong = `<p id="wrong" class="error" role="alert">` + html.EscapeString(wrong) + "</p>"
	}
	writePage(w, status, document("Sign in", fmt.Sprintf(signInForm, place, html.EscapeString(next), wrong)))
}

const signInForm = `<h1>Sign in to anything-mcp</h1>
<p>This server needs its token%s.</p>
<form method="post" action="/sign-in">
<input type="hidden" name="next" value="%s">
<div class="field"><label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus></div>
%s<button class="primary">Sign in</button>
</form>`

// signIn begins a session for the token.
func (p *pages) signIn(w http.ResponseWriter, r *http.Request) {
	if !p.isOwnForm(w, r) {
		return
	}
	next := localPath(r.PostForm.Get("next"))
	switch p.access.check(r.PostForm.Get("token")) {
	case tokenRight:
		p.access.begin(w, r)
		redirect(w, r, next)
	case tokenWrong:
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		p.Logger.Info("refused a sign-in: the token is wrong", "from", from)
		p.askForToken(w, http.StatusUnauthorized, next, "The token is wrong. Nothing was opened: try again.")
	case tokenUnread:
		w.Header().Set("Retry-After", fmt.Sprint(int(wrongTime.Seconds())))
		p.askForToken(w, http.StatusTooManyRequests, next, "Too many wrong tokens came, so this one was not read. Try again in a minute.")
	}
}

// signOut ends the session.
func (p *pages) signOut(w http.ResponseWriter, r *http.Request) {
	if p.isOwnForm(w, r) {
		p.access.end(w, r)
		redirect(w, r, "/")
	}
}

// isOwnForm reads a form that one of these pages has sent, or refuses it.
func (p *pages) isOwnForm(w http.ResponseWriter, r *http.Request) bool {
	status := http.StatusForbidden
	if isOwnRequest(r) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		defer readWithin(w)()
		if r.ParseForm() == nil {
			return true
		}
		status = http.StatusBadRequest
	}
	writePage(w, status, document("Refused", `<h1>Nothing was done</h1><p>The form did not come from a page of this server, or is too large. <a href="/">Open the page again.</a></p>`))
	return false
}

// localPath returns next if it is an address of one of the pages, and otherwise that of
// the list.
func localPath(next string) string {
	for _, prefix := range []string{"/?", "/builds/", "/runs/"} {
		if strings.HasPrefix(next, prefix) && !strings.ContainsAny(next, "\\\r\n") {
			return next
		}
	}
	return "/"
}
