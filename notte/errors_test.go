package notte_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte"
)

func TestErrorBodies(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`{"message":"No such thing","detail":"look again"}`, "No such thing: look again"},
		{`{"message":"same","detail":"same"}`, "same"},
		{`{"error":"text"}`, "text"},
		{`{"error":{"code":"bad_key","message":"Key unknown"}}`, "Key unknown (bad_key)"},
		{`{"error":{"code":17}}`, "(17)"},
		{`{"detail":"text"}`, "text"},
		{`{"detail":[{"loc":["body","query"],"msg":"Field required","type":"missing","input":"secret"},{"loc":["body","items",0],"msg":"bad"}]}`, "query: Field required; items.0: bad"},
		{`{"detail":{"message":"inner"}}`, "inner"},
		{`"just text"`, "just text"},
		{`{}`, ""}, {`[]`, ""}, {`null`, ""}, {"", ""}, {" \n ", ""},
		{"<!DOCTYPE html><html><head>\n<TITLE lang=en> 502 &amp; more\n</TITLE></head><body>secret</body>", "502 & more"},
		{"<html><body>secret</body></html>", ""},
		{"upstream went\r\n\taway\x00 \x1b[31mnow\x1b[0m\x1b]0;title\x07", "upstream went away now"},
		{`{"error":"a\u001b[2Jb\u202ec"}`, "abc"},
		{`{"message":"see https://user:pw@notte.example/a/b?token=4711 or http://h.example"}`, "see https://notte.example/… or http://h.example"},
		{"htt\x1b[0mps://h.example/\x1b[0m?token=4711", "https://h.example/…"},
		{"https://h.example/" + strings.Repeat("secret", 1000), "https://h.example/…"},
		{"\xff\xfe", "\uFFFD\uFFFD"},
		{strings.Repeat("[", 1<<20), strings.Repeat("[", 499) + "…"},
		{strings.Repeat("é", 2000), strings.Repeat("é", 499) + "…"},
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, tt.body)
		})
		_, err := c.GetFunction(t.Context(), "f1")
		var e *notte.Error
		if !errors.As(err, &e) || e.StatusCode != 400 || e.Message != tt.want {
			t.Errorf("%.80q: %v", tt.body, err)
		}
	}
}

func TestErrorBodyIsBounded(t *testing.T) {
	var written atomic.Int64
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for r.Context().Err() == nil && written.Load() < 1<<28 {
			n, err := w.Write(bytes.Repeat([]byte("x"), 1<<16))
			if err != nil {
				return
			}
			written.Add(int64(n))
		}
	})
	_, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
	if e := new(notte.Error); !errors.As(err, &e) || len([]rune(e.Message)) != 500 {
		t.Error(err)
	}
	if n := written.Load(); n > 64<<20 {
		t.Errorf("%d bytes were taken of the body", n)
	}
}

func TestErrorSays(t *testing.T) {
	for _, tt := range []struct {
		status int
		header http.Header
		words  []string // of every call's error
	}{
		{401, nil, []string{"401 Unauthorized", "THE_KEY"}},
		{402, nil, []string{"credit", "console.notte.cc"}},
		{403, nil, []string{"may not"}},
		{422, nil, []string{"not accepted"}},
		{429, http.Header{"Retry-After": {"90"}}, []string{"too many requests", "wait 1m30s"}},
		{429, nil, []string{"too many requests", "wait"}},
		{500, nil, []string{"Notte's side"}},
		{529, http.Header{"Retry-After": {"3600"}}, []string{"529 Overloaded", "overloaded or down"}},
		{307, http.Header{"Location": {"https://user:pw@elsewhere.test/x?token=t"}}, []string{"redirects to https://elsewhere.test/x", "not followed", "_URL"}},
		{304, nil, []string{"304"}},
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range tt.header {
				w.Header()[k] = v
			}
			w.WriteHeader(tt.status)
		})
		for name, call := range calls(t.Context(), c, "f1") {
			err := call()
			var e *notte.Error
			if !errors.As(err, &e) || e.StatusCode != tt.status {
				t.Errorf("%d, %s: %v", tt.status, name, err)
				continue
			}
			for _, word := range tt.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%d, %s: %q does not say %q", tt.status, name, err, word)
				}
			}
			for _, secret := range []string{"token=t", "pw"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%d, %s: %q holds %q", tt.status, name, err, secret)
				}
			}
			if open := notte.MayHaveStarted(err); open != (tt.status >= 500) {
				t.Errorf("%d, %s: may have started: %v", tt.status, name, open)
			}
			mayStart := strings.HasPrefix(name, "Start") && tt.status >= 500
			for words, want := range map[string]bool{
				"may have begun": mayStart, "do not start it again": mayStart,
				"try again": !mayStart && (tt.status >= 500 || tt.status == 429 || tt.status == 422),
			} {
				if strings.Contains(err.Error(), words) != want {
					t.Errorf("%d, %s: %q says %q: %v", tt.status, name, err, words, !want)
				}
			}
		}
	}
}

// TestErrorsWithoutSettingNames checks the text of an error whose client has no
// names of settings, and of an Error that a caller made.
func TestErrorsWithoutSettingNames(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.Header.Get("User-Agent"))
		w.WriteHeader(status)
	}))
	defer srv.Close()
	for _, tt := range []struct {
		status          int
		build, function string // what the errors of these calls end with
	}{
		{401, "check the API key (keys are at https://console.notte.cc).", "check the API key (keys are at https://console.notte.cc)."},
		{404, "check the URL of the Anything API.", "check the ID, and that the API key is of the account that owns it."},
		{405, "check the URL of the Anything API.", "check the URL of the Functions API."},
	} {
		c, err := notte.NewClient(notte.Config{Key: "k", APIURL: srv.URL, AnythingURL: srv.URL, UserAgent: strconv.Itoa(tt.status)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"}); err == nil || !strings.HasSuffix(err.Error(), tt.build) {
			t.Errorf("%d: %v", tt.status, err)
		}
		_, err = c.GetFunction(t.Context(), "f1")
		if err == nil || !strings.HasSuffix(err.Error(), tt.function) {
			t.Errorf("%d: %v", tt.status, err)
		}
		var e *notte.Error
		if !errors.As(err, &e) || e.API != notte.FunctionsAPI || e.Host != strings.TrimPrefix(srv.URL, "http://") || !e.Sent || e.Err != nil {
			t.Errorf("%+v", e)
		}
	}
	for want, e := range map[string]*notte.Error{
		"could not call Notte: Notte answered 503 Service Unavailable. Notte is overloaded or down for the moment: try again in a minute.": {StatusCode: 503},
		"could not call Notte: Notte answered 418 I'm a teapot: short and stout. The request was not accepted as it is: change what the message names, then try again.": {
			StatusCode: 418, Message: "short and stout.",
		},
		"could not start it: h:1 could not be reached (no luck); check the URL of the Functions API and the network.": {
			Op: "start it", Host: "h:1", Message: "no luck", Err: errors.New("no luck"),
		},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestUnsupported(t *testing.T) {
	for status, want := range map[int]bool{404: false, 405: true, 500: false, 501: true} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if _, err := c.CreateRun(t.Context(), "f1"); errors.Is(err, errors.ErrUnsupported) != want {
			t.Errorf("%d: %v", status, err)
		}
	}
}
