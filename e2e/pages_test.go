package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

// browser is a person's browser.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t, strings.TrimSuffix(base, "/mcp"), &http.Client{Transport: transport, Jar: jar}}
}

// post sends what a page of this server, or of another origin, sends.
func (b *browser) post(path, media, body, origin string) (status int, answer string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", media)
	req.Header.Set("Origin", origin)
	return b.read(b.http.Do(req))
}

func (b *browser) get(path string) (status int, page string) {
	b.t.Helper()
	return b.read(b.http.Get(b.base + path))
}

func (b *browser) read(resp *http.Response, err error) (int, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	checkSecrets(b.t, "a page", string(body))
	return resp.StatusCode, string(body)
}

// call calls a tool as the page does, and returns its structured content.
func (b *browser) call(tool, arguments string) gjson.Result {
	b.t.Helper()
	status, answer := b.post("/api/call", "application/json", `{"name":"`+tool+`","arguments":`+arguments+`}`, b.base)
	if status != http.StatusOK {
		b.t.Fatalf("%s(%s) was answered with %d: %s", tool, arguments, status, answer)
	}
	return gjson.Get(answer, "structuredContent")
}

// follow follows a job to its end, and returns the types of its entries.
func (b *browser) follow(id string) (types, status string) {
	b.t.Helper()
	for next := 0.0; status == "" || status == "running"; {
		answer := b.call("follow_job", fmt.Sprintf(`{"job_id":%q,"after":%v,"wait_seconds":20}`, id, next))
		types += answer.Get("entries.#.type").Raw
		next, status = answer.Get("next").Float(), answer.Get("job.status").Str
	}
	return types, status
}

// A person watches a build and runs its function in a browser, without a token on
// loopback.
func TestPagesForAPerson(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		s := newHTTPServer(t, url, nil)
		c := s.connect(t, modern)
		api.Script("watched <b>", viewer("https://viewer.example/?token=seen"), toolStart("goto"), uploaded("fn-page", "hn", nil), done("fn-page"))
		built := c.outcome(c.build("watched <b>"))
		b := newBrowser(t, s.url)
		status, list := b.get("/")
		if status != http.StatusOK || !strings.Contains(list, `href="/builds/`+built.BuildID+`"`) || !strings.Contains(list, "watched &lt;b&gt;") {
			t.Errorf("the list: %d %s", status, list)
		}
		if status, page := b.get("/builds/" + built.BuildID); status != http.StatusOK || !strings.Contains(page, "<main") {
			t.Errorf("the page: %d %s", status, page)
		}
		types, state := b.follow(built.BuildID)
		if state != built.Status || !strings.Contains(types, "tool_start") || !strings.Contains(types, "done") {
			t.Errorf("the build is %s, with %s", state, types)
		}
		run := b.call("run_function", fmt.Sprintf(`{"function_id":%q,"wait_seconds":0}`, built.FunctionID)).Get("run_id").Str
		if _, state := b.follow(run); state == "running" || run == "" {
			t.Errorf("the run %q is %s", run, state)
		}
		for _, origin := range []string{"https://evil.example", "null", "http://localhost:1", ""} {
			status, answer := b.post("/api/call", "application/json", `{"name":"cancel_build","arguments":{"build_id":"`+built.BuildID+`"}}`, origin)
			if status != http.StatusForbidden {
				t.Errorf("a call of a page of %q was answered with %d: %s", origin, status, answer)
			}
		}
	})
}

// With a token a person signs in. The cookie opens the pages alone, and the token in a
// header opens MCP alone.
func TestPagesWithAToken(t *testing.T) {
	t.Parallel()
	_, notte := newSandbox(t)
	s := newHTTPServer(t, notte, []string{"ANYTHING_MCP_AUTH_TOKEN=" + accessToken})
	b := newBrowser(t, s.url)
	form := func(token string) (int, string) {
		return b.post("/sign-in", "application/x-www-form-urlencoded", url.Values{"token": {token}, "next": {"/"}}.Encode(), b.base)
	}
	if status, page := b.get("/"); status != http.StatusUnauthorized || !strings.Contains(page, "is in ANYTHING_MCP_AUTH_TOKEN") {
		t.Errorf("without a session: %d %s", status, page)
	}
	if status, page := form("wrong"); status != http.StatusUnauthorized || !strings.Contains(page, "The token is wrong") {
		t.Errorf("with a wrong token: %d %s", status, page)
	}
	if status, page := form(accessToken); status != http.StatusOK || !strings.Contains(page, "Builds and runs") {
		t.Errorf("with the token: %d %s", status, page)
	}
	b.call("follow_job", `{"query":"none"}`)
	if status, answer := b.post("/mcp", "application/json", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, b.base); status != http.StatusUnauthorized {
		t.Errorf("the cookie opens /mcp: %d %s", status, answer)
	}
	if resp, _ := s.do(t, http.MethodGet, "/", "", http.Header{"Authorization": {"Bearer " + accessToken}}); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the header opens a page: %s", resp.Status)
	}
	if status, page := b.post("/sign-out", "application/x-www-form-urlencoded", "", b.base); status != http.StatusUnauthorized || !strings.Contains(page, "Sign in") {
		t.Errorf("after the sign-out: %d %s", status, page)
	}
}

// Where other machines reach the server, pages have to be asked for.
func TestPagesByDefault(t *testing.T) {
	t.Parallel()
	_, notte := newSandbox(t)
	for _, tt := range []struct {
		addr, pages string
		want        int
	}{
		{"127.0.0.1:0", "auto", 200}, {"127.0.0.1:0", "off", 404}, {"0.0.0.0:0", "auto", 404}, {"0.0.0.0:0", "on", 401},
	} {
		t.Run(tt.addr+" "+tt.pages, func(t *testing.T) {
			t.Parallel()
			var env []string
			if strings.HasPrefix(tt.addr, "0.") {
				env = []string{"ANYTHING_MCP_AUTH_TOKEN=" + accessToken}
			}
			s := newHTTPServer(t, notte, env, "--addr", tt.addr, "--pages", tt.pages)
			if status, page := newBrowser(t, s.url).get("/"); status != tt.want {
				t.Errorf("got %d, want %d: %s", status, tt.want, page)
			}
		})
	}
}

// anything-mcp build --open opens the page of its build, prints its address, and ends
// when the page has shown the end.
func TestOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the browser is a script in the place of xdg-open")
	}
	inBothContracts(t, func(t *testing.T, api *service, notte string) {
		bin := t.TempDir()
		opened := filepath.Join(bin, "opened")
		script := "#!/bin/sh\nenv > " + bin + "/env\necho \"$1\" > " + opened + ".new\nmv " + opened + ".new " + opened + "\nexit 1\n"
		if err := os.WriteFile(filepath.Join(bin, "xdg-open"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		wait, open := gate(t)
		api.Script("shown", viewer("https://viewer.example/?token=seen"), toolStart("goto"), wait, uploaded("fn-page", "hn", nil), done("fn-page"))
		p := launch(t, notte, nil, func(*journal) {}, []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "DISPLAY=:0"}, "build", "--open", "--json", "shown")
		address := strings.TrimSpace(awaitFile(t, opened))
		p.stderr.await(t, "the address", func(line string, _ message) bool { return strings.TrimSpace(line) == "Watch it at "+address })
		if env := awaitFile(t, bin+"/env"); strings.Contains(env, "NOTTE_") || strings.Contains(env, "ANYTHING_MCP_") {
			t.Errorf("the browser gets the settings of the program: %s", env)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		mine, other := newBrowser(t, "http://"+u.Host), newBrowser(t, "http://"+u.Host)
		if status, _ := mine.get(u.RequestURI()); status != http.StatusOK {
			t.Errorf("the page is answered with %d", status)
		}
		if status, _ := other.get(u.RequestURI()); status != http.StatusForbidden {
			t.Errorf("the address opens the page twice: %d", status)
		}
		if status, _ := other.post("/mcp", "application/json", "{}", other.base); status != http.StatusNotFound {
			t.Errorf("there is something at /mcp: %d", status)
		}
		id := strings.TrimPrefix(u.Path, "/builds/")
		if got := mine.call("follow_job", fmt.Sprintf(`{"job_id":%q}`, id)).Get("job.status").Str; got != "running" {
			t.Errorf("the build is %s", got)
		}
		open()
		if _, state := mine.follow(id); state != "done" {
			t.Errorf("the build ended as %s", state)
		}
		mine.call("get_function", `{"function_id":"00000000-0000-4000-8000-000000000000"}`) // the form is asked for after the end
		p.exits(0)
	})
}

// awaitFile waits until a file is there, and returns its content.
func awaitFile(t *testing.T, name string) string {
	t.Helper()
	for deadline := time.Now().Add(awaitTimeout); ; time.Sleep(20 * time.Millisecond) {
		content, err := os.ReadFile(name)
		if err == nil {
			return string(content)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s was not written: %v", name, err)
		}
	}
}
