package notte_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte"
)

// TestKeyStaysSecret makes a server echo the request in every part of its answer.
func TestKeyStaysSecret(t *testing.T) {
	quoted, _ := json.Marshal(asciiKey)
	spellings := []string{asciiKey, url.QueryEscape(asciiKey), url.PathEscape(asciiKey), strings.Trim(string(quoted), `"`)}
	echo := strings.Join(spellings, " and ")
	var logged bytes.Buffer
	for _, h := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, echo, 400) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, strings.Repeat("x", 490)+asciiKey, 400) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Bearer sk-te\x1b[0m"+asciiKey[5:], 400) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<title>"+echo+"</title>", 400) },
		func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(422)
			json.NewEncoder(w).Encode(map[string]any{"detail": echo})
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.test/"+url.PathEscape(asciiKey))
			w.WriteHeader(302)
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", asciiKey)
			io.WriteString(w, "?")
		},
		func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			io.WriteString(conn, asciiKey+"\r\n\r\n")
			conn.Close()
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			json.NewEncoder(io.MultiWriter(w)).Encode(echo)
			fmt.Fprintf(w, "data: {\"type\":\"error\",\"error\":%s,\"detail\":%s}\n\n", quoted, quoted)
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("X-Thread-Id", asciiKey)
			for _, chunk := range []string{
				`{"type":"error","errorText":%s}`, `{"type":"tool-input-start","toolCallId":"1","toolName":%s}`, `{"type":"data-x","data":{"status":%s}}`,
				`{"type":"data-x","data":{"function_id":"f1","name":%s}}`, `{"type":"text-delta","id":"1","delta":%s}`,
			} {
				fmt.Fprintf(w, "data: "+chunk+"\n\n", quoted)
			}
			io.WriteString(w, "data: [DONE]\n\n")
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(202)
			fmt.Fprintf(w, `{"thread_id":"t1","url":"https://notte.cc/?key=%s"}`, url.QueryEscape(asciiKey))
		},
	} {
		srv := httptest.NewServer(h)
		c := newClient(t, notte.Config{Key: asciiKey, APIURL: srv.URL, AnythingURL: srv.URL, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		for name, call := range calls(t.Context(), c, "f1") {
			if name == "StartBuild" || name == "GetFunction" {
				var said string
				if err := call(); err != nil {
					said = err.Error()
				}
				if strings.Contains(said, "4711") {
					t.Errorf("%s: %s", name, said)
				}
			}
		}
		if s, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"}); err == nil {
			for ev := range s.Events() {
				if said := fmt.Sprint(ev); strings.Contains(said, "4711") || !strings.Contains(said, "[redacted]") {
					t.Error(said)
				}
			}
		}
		srv.Close()
	}
	if strings.Contains(logged.String(), "4711") {
		t.Error(logged.String())
	}
}

// TestPrintedKeyStaysSecret prints, marshals and logs a key in every way.
func TestPrintedKeyStaysSecret(t *testing.T) {
	key := notte.APIKey("4711")
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("a", "key", key, "in a struct", notte.Config{Key: key})
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb, key)
		fmt.Fprintf(&out, verb, []any{key, notte.Config{Key: key}})
	}
	json.NewEncoder(&out).Encode([]any{key, &key, map[string]notte.APIKey{"a": key}})
	if s := out.String(); strings.Contains(s, "4711") || strings.Contains(s, "34373131") || !strings.Contains(s, "[redacted]") {
		t.Error(s)
	}
}
