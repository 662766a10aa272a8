package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

const (
	token = "the-token-of-this-server"
	own   = "http://127.0.0.1:8808"
)

// browser is a person's browser.
type browser struct {
	t       *testing.T
	handler http.Handler
	log     *strings.Builder
	calls   []string // the calls that reached the tools
	cookies map[string]string
	answers map[string]string // the structured content by tool; one that begins with ! is an error
}

func newBrowser(t *testing.T, opts Options) *browser {
	b := &browser{t: t, log: new(strings.Builder), cookies: make(map[string]string), answers: map[string]string{
		"list_builds": `{"builds":[],"spent_today_usd":0}`, "list_runs": `{"runs":[]}`,
	}}
	opts.Call = func(_ context.Context, name string, arguments json.RawMessage) (*mcp.CallToolResult, bool) {
		b.calls = append(b.calls, name+string(arguments))
		if why, failed := strings.CutPrefix(b.answers[name], "!"); failed {
			return mcp.NewToolResultError(why), true
		}
		return &mcp.CallToolResult{RawStructuredContent: json.RawMessage(b.answers[name])}, b.answers[name] != ""
	}
	opts.Logger = slog.New(slog.NewTextHandler(b.log, nil))
	b.handler = New(opts)
	return b
}

// do sends a request with the browser's cookies, and keeps those that it gets.
func (b *browser) do(method, path, body string, header map[string]string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host, r.RemoteAddr = "127.0.0.1:8808", "127.0.0.1:4711"
	for name, value := range header {
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
			b.t.Errorf("the cookie %v", c)
		}
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := w.Header().Get(name); got != want {
			b.t.Errorf("%s %s: %s is %q, want %q", method, path, name, got, want)
		}
	}
	if said := w.Body.String() + fmt.Sprint(w.Header()) + b.log.String(); strings.Contains(said, token) {
		b.t.Errorf("%s %s tells the token", method, path)
	}
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder { return b.do("GET", path, "", nil) }

// form sends a form as a browser does.
func (b *browser) form(path string, values url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do("POST", path, values.Encode(), map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Origin": own, "Sec-Fetch-Site": "same-origin",
	})
}

func (b *browser) signIn(token, next string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.form("/sign-in", url.Values{"token": {token}, "next": {next}})
}

// call sends a call of the build monitor, with header in the place of what it sends.
func (b *browser) call(body string, header map[string]string) *httptest.ResponseRecorder {
	b.t.Helper()
	all := map[string]string{"Content-Type": "application/json", "Origin": own, "Sec-Fetch-Site": "same-origin"}
	for name, value := range header {
		all[name] = value
	}
	return b.do("POST", "/api/call", body, all)
}

func (b *browser) want(w *httptest.ResponseRecorder, status int, holds string) {
	b.t.Helper()
	if w.Code != status || !strings.Contains(w.Body.String(), holds) {
		b.t.Errorf("got %d, want %d with %q: %s", w.Code, status, holds, w.Body)
	}
}

const follow = `{"name":"follow_job","arguments":{"job_id":"build_1"}}`

func TestWithoutToken(t *testing.T) {
	b := newBrowser(t, Options{Simulated: true})
	b.want(b.get("/"), 200, "Simulated: nothing is real")
	for _, path := range []string{"/builds/build_1", "/runs/run_1"} {
		w := b.get(path)
		b.want(w, 200, "<main data-state=")
		policy := w.Header().Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy lacks %s: %s", path, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %s", path, policy)
		}
	}
	b.answers["follow_job"] = `{"entries":[],"next":0}`
	b.want(b.call(follow, nil), 200, `"structuredContent":{"entries":[],"next":0}`)
	if got := b.calls[len(b.calls)-1]; got != `follow_job{"job_id":"build_1"}` {
		t.Errorf("the call is %s", got)
	}
	b.answers["get_run"] = "!no such run"
	b.want(b.call(`{"name":"get_run"}`, nil), 200, `"isError":true`)
}

// A request that changes something comes from a page of this server, or does nothing.
func TestForeignRequests(t *testing.T) {
	for name, foreign := range map[string]map[string]string{
		"another site":                {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
		"another port":                {"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"},
		"another name":                {"Origin": "http://localhost:8808"},
		"no origin":                   {"Origin": ""},
		"a hidden origin":             {"Origin": "null"},
		"another scheme":              {"Origin": "ftp://127.0.0.1:8808"},
		"a site behind a wrong proxy": {"Sec-Fetch-Site": "cross-site"},
		"a sibling":                   {"Sec-Fetch-Site": "same-site"},
		"a user's own address":        {"Sec-Fetch-Site": "none"},
	} {
		b := newBrowser(t, Options{Token: token})
		b.signIn(token, "/")
		b.calls = nil
		b.want(b.call(follow, foreign), 403, `"error":"The request did not come from a page of this server`)
		form := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": own}
		for header, value := range foreign {
			form[header] = value
		}
		b.want(b.do("POST", "/sign-out", "", form), 403, "Nothing was done")
		b.want(b.do("POST", "/sign-in", "token="+token, form), 403, "Nothing was done")
		if w := b.get("/"); w.Code != 200 || len(b.calls) != 2 {
			t.Errorf("%s: signed out (%d), or called %q", name, w.Code, b.calls)
		}
	}
}

func TestCallsThatAreRefused(t *testing.T) {
	b := newBrowser(t, Options{})
	for _, tool := range []string{"build_automation", "list_builds", "find_functions", "", "follow_job2"} {
		b.want(b.call(`{"name":"`+tool+`","arguments":{}}`, nil), 404, "no tool of that name")
	}
	b.want(b.call(follow, map[string]string{"Content-Type": "text/plain"}), 415, "Content-Type: application/json")
	b.want(b.call(follow, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}), 415, "JSON")
	b.want(b.call("[]", nil), 400, "not a JSON object")
	b.want(b.call(`{"name":`, nil), 400, "not a JSON object")
	b.want(b.call(`{"name":"follow_job","arguments":{"query":"`+strings.Repeat("x", maxCall)+`"}}`, nil), 400, "too large")
	if len(b.calls) > 0 {
		t.Errorf("these calls reached the tools: %q", b.calls)
	}
}

func TestSignIn(t *testing.T) {
	b := newBrowser(t, Options{Token: token})
	for _, path := range []string{"/", "/builds/build_1?x=%22%3E", "/runs/run_1"} {
		w := b.get(path)
		b.want(w, 401, `<form method="post" action="/sign-in">`)
		if strings.Contains(w.Body.String(), `">"`) {
			t.Errorf("the address is not escaped: %s", w.Body)
		}
	}
	b.want(b.call(follow, nil), 401, "sign in")
	b.want(b.signIn("wrong", "/runs/run_1"), 401, "The token is wrong")
	if !strings.Contains(b.log.String(), "the token is wrong") || strings.Contains(b.log.String(), "wrong\"\n") {
		t.Errorf("the log: %s", b.log)
	}
	w := b.signIn(token, "/runs/run_1")
	if w.Code != 303 || w.Header().Get("Location") != "/runs/run_1" {
		t.Errorf("signed in with %d to %s", w.Code, w.Header().Get("Location"))
	}
	cookie := w.Header().Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "anything_mcp_8808=") || !strings.Contains(cookie, "Max-Age=43200") || strings.Contains(cookie, "Secure") {
		t.Errorf("the cookie is %s", cookie)
	}
	b.want(b.get("/"), 200, "Sign out")
	b.want(b.call(`{"name":"x"}`, nil), 404, "")
	old := b.cookies["anything_mcp_8808"]
	b.want(b.form("/sign-out", nil), 303, "")
	b.want(b.get("/"), 401, "")
	b.cookies["anything_mcp_8808"] = old
	b.want(b.get("/"), 401, "")
	b.cookies["anything_mcp_8808"] = token
	b.want(b.get("/"), 401, "")
}

// After the sign-in the browser goes to a page of this server, whatever the form says.
func TestNext(t *testing.T) {
	for next, want := range map[string]string{
		"/": "/", "/?builds=x": "/?builds=x", "/builds/build_1": "/builds/build_1", "/runs/run_1": "/runs/run_1",
		"": "/", "//evil.example": "/", "https://evil.example": "/", "/\\evil.example": "/", "/builds/\r\nX: y": "/", "/mcp": "/",
	} {
		b := newBrowser(t, Options{Token: token})
		if got := b.signIn(token, next).Header().Get("Location"); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

// Over TLS, which may end at a proxy, the cookie is sent over TLS only.
func TestSecureCookie(t *testing.T) {
	b := newBrowser(t, Options{Token: token})
	w := b.do("POST", "/sign-in", "token="+token, map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://mcp.example", "Host": "mcp.example",
	})
	if cookie := w.Header().Get("Set-Cookie"); !strings.HasPrefix(cookie, "anything_mcp=") || !strings.Contains(cookie, "; Secure") {
		t.Errorf("the cookie is %q", cookie)
	}
}

func TestWrongTokensAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBrowser(t, Options{Token: token})
		for range maxWrong {
			b.want(b.signIn("wrong", "/"), 401, "")
			time.Sleep(time.Second)
		}
		w := b.signIn(token, "/")
		if b.want(w, 429, "Too many wrong tokens"); w.Header().Get("Retry-After") != "60" || len(b.cookies) > 0 {
			t.Errorf("Retry-After %q, cookies %v", w.Header().Get("Retry-After"), b.cookies)
		}
		time.Sleep(50 * time.Second)
		b.want(b.signIn(token, "/"), 303, "")
	})
}

func TestSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBrowser(t, Options{Token: token})
		b.signIn(token, "/")
		time.Sleep(12*time.Hour - time.Second)
		b.want(b.get("/"), 200, "")
		time.Sleep(time.Second)
		b.want(b.get("/"), 401, "")
		b.signIn(token, "/")
		first := b.cookies["anything_mcp_8808"]
		for range maxSessions {
			time.Sleep(time.Millisecond)
			b.signIn(token, "/")
		}
		b.want(b.get("/"), 200, "")
		b.cookies["anything_mcp_8808"] = first
		b.want(b.get("/"), 401, "")
	})
}

// The code opens the pages to the first browser that has it, and to no other.
func TestCode(t *testing.T) {
	b, other := newBrowser(t, Options{Code: "the-code"}), newBrowser(t, Options{})
	other.handler = b.handler
	b.want(b.get("/builds/build_1"), 403, "not open to this browser")
	b.want(b.get("/builds/build_1?code="), 403, "")
	b.want(b.get("/builds/build_1?code=wrong"), 403, "")
	b.want(b.do("HEAD", "/builds/build_1?code=the-code", "", nil), 403, "")
	w := b.get("/builds/build_1?code=the-code")
	if w.Code != 303 || w.Header().Get("Location") != "/builds/build_1" {
		t.Errorf("the code leads to %d %s", w.Code, w.Header().Get("Location"))
	}
	b.want(b.get("/builds/build_1"), 200, "")
	b.want(b.get("/builds/build_1?code=the-code"), 303, "")
	other.want(other.get("/builds/build_1?code=the-code"), 403, "")
	other.want(other.call(follow, nil), 401, "")
	other.want(other.signIn("the-code", "/"), 401, "")
}

// A link of another site comes without the cookie. The page then loads itself.
func TestLinkOfAnotherSite(t *testing.T) {
	b := newBrowser(t, Options{Token: token})
	w := b.do("GET", "/builds/build_1", "", map[string]string{"Sec-Fetch-Site": "cross-site"})
	if b.want(w, 200, "One moment"); w.Header().Get("Refresh") != "0" {
		t.Error("the page does not load itself")
	}
	b.want(b.do("GET", "/builds/build_1", "", map[string]string{"Sec-Fetch-Site": "same-origin"}), 401, "")
}

func TestList(t *testing.T) {
	b := newBrowser(t, Options{})
	b.answers["list_builds"] = `{"builds":[
		{"build_id":"build_2","query":"<script>alert(1)</script>","status":"running","started_at":"2026-11-30T10:00:00Z"},
		{"build_id":"build_1","query":"fetch \"a\" & b","status":"done","function_id":"f","function_name":"<b>","total_cost_usd":0.425,"started_at":"2026-11-30T09:00:00Z"},
		{"build_id":"build_0","query":"q","status":"interrupted","total_cost_usd":null,"started_at":"2026-11-30T08:00:00Z"}],
		"next_cursor":"a/+=","spent_today_usd":1.5}`
	b.answers["list_runs"] = `{"runs":[{"run_id":"run_2","function_id":"f","status":"closed","ok":false,"started_at":"2026-11-30T10:00:00Z"},
		{"run_id":"run_1","function_id":"f","status":"closed","ok":true,"started_at":"2026-11-30T09:00:00Z"}],"next_cursor":"r"}`
	w := b.do("GET", "/?builds=c1&runs=c2", "", nil)
	for _, want := range []string{
		"Spent today: $1.50", `<a href="/builds/build_2" dir="auto">&lt;script&gt;alert(1)&lt;/script&gt;</a>`, "&lt;b&gt;", "$0.42", "not known", "–",
		`href="/?builds=a%2F%2B%3D"`, `href="/?runs=r"`, `<td data-state="error">failed</td>`, `<td data-state="done">done</td>`, `href="/runs/run_1"`,
	} {
		b.want(w, 200, want)
	}
	if got := strings.Join(b.calls, " "); got != `list_builds{"cursor":"c1"} list_runs{"cursor":"c2"}` {
		t.Errorf("the calls are %s", got)
	}
	b.answers["list_builds"], b.answers["list_runs"] = "!No <key> is set.", `{"runs":[]}`
	w = b.get("/")
	b.want(w, 200, "No &lt;key&gt; is set.")
	b.want(w, 200, "There are none yet.")
}

// No GET changes anything, and only what there is is answered.
func TestMethodsAndPaths(t *testing.T) {
	b := newBrowser(t, Options{Token: token})
	b.signIn(token, "/")
	b.calls = nil
	for _, path := range []string{"/sign-in", "/sign-out"} {
		b.want(b.get(path), 303, "")
	}
	b.want(b.get("/"), 200, "")
	mux := b.handler.(*http.ServeMux)
	for _, one := range []string{"GET /api/call", "POST /", "POST /builds/build_1", "GET /builds/", "GET /builds/a/b", "GET /mcp", "GET /x"} {
		method, path, _ := strings.Cut(one, " ")
		if _, pattern := mux.Handler(httptest.NewRequest(method, path, nil)); pattern != "" {
			t.Errorf("%s is answered as %s", one, pattern)
		}
	}
}
