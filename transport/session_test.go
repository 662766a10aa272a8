package transport

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func newSessionsForTest(t *testing.T, key string) *sessions {
	t.Helper()
	s, err := newSessions([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestForgedSession checks that an ID with any character changed is not valid, nor
// one of another server.
func TestForgedSession(t *testing.T) {
	const key = "0123456789abcdef"
	s := newSessionsForTest(t, key)
	id := s.begin(false)
	if !s.valid(id) || !newSessionsForTest(t, key).valid(id) {
		t.Error("an ID is not valid under the key that signed it")
	}
	if strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		t.Errorf("the ID %q cannot be sent in a header", id)
	}
	forged := []string{
		"", "x", id[:len(id)-1], id + "x", id[1:], id[:nonceLength], strings.ToLower(id), id + "\n", strings.Repeat("x", len(id)),
		newSessionsForTest(t, "").begin(false), newSessionsForTest(t, key+"g").begin(false), s.begin(false)[:nonceLength] + id[nonceLength:],
		id[:nonceLength] + markPages + id[signedLength:],
	}
	for i := range id {
		other := []byte(id)
		other[i] ^= 1
		forged = append(forged, string(other))
	}
	for _, id := range forged {
		if s.valid(id) {
			t.Errorf("%q is valid", id)
		}
	}
}

// TestEndedSessions checks that the last 1,000 ended sessions are remembered, and
// no more.
func TestEndedSessions(t *testing.T) {
	s := newSessionsForTest(t, "")
	lasting, first := s.begin(false), s.begin(false)
	s.end(first)
	for range maxEnded - 1 {
		s.end(s.begin(false))
	}
	if s.valid(first) {
		t.Error("an ended session is valid")
	}
	for range 3 * maxEnded {
		s.end(s.begin(false))
	}
	if !s.valid(lasting) {
		t.Error("the ends of other sessions have ended one")
	}
	if len(s.ended) != maxEnded {
		t.Errorf("%d ended sessions are kept, want %d", len(s.ended), maxEnded)
	}
}

// TestSessionKey checks that servers which share a key accept each other's
// sessions.
func TestSessionKey(t *testing.T) {
	if _, err := NewHTTP(newFakeServer().srv, HTTPOptions{Addr: "127.0.0.1:8808", SessionKey: make([]byte, 15)}); err == nil {
		t.Error("a key of 15 bytes was accepted")
	}
	key := bytes.Repeat([]byte("k"), 16)
	serve := func(key []byte) *httptest.Server {
		s := httptest.NewServer(newHTTP(t, newFakeServer(), HTTPOptions{SessionKey: key}))
		t.Cleanup(s.Close)
		return s
	}
	issuer, replica, stranger := serve(key), serve(key), serve(nil)
	session := begin(t, issuer.Client(), issuer.URL)
	for s, want := range map[*httptest.Server]int{issuer: 200, replica: 200, stranger: 404} {
		if resp := sessionRequest(t, s, http.MethodPost, session, `{"jsonrpc":"2.0","id":1,"method":"ping"}`); resp.StatusCode != want {
			t.Errorf("got %s, want %d", resp.Status, want)
		}
	}
}

// TestOneClientOfMany checks that a client which begins and ends 1,100 sessions
// does not end another client's.
func TestOneClientOfMany(t *testing.T) {
	s := httptest.NewServer(newHTTP(t, newFakeServer(), HTTPOptions{}))
	defer s.Close()
	other := begin(t, s.Client(), s.URL)
	for range maxEnded + 100 {
		sessionRequest(t, s, http.MethodDelete, begin(t, s.Client(), s.URL), "")
	}
	if resp := sessionRequest(t, s, http.MethodPost, other, `{"jsonrpc":"2.0","id":1,"method":"ping"}`); resp.StatusCode != 200 {
		t.Errorf("the other client got %s", resp.Status)
	}
}

// TestStreamsOfASession checks that a session gets a fifth stream only when one of
// the others has ended, and that all end with the session.
func TestStreamsOfASession(t *testing.T) {
	s := httptest.NewServer(newHTTP(t, newFakeServer(), HTTPOptions{}))
	defer s.Close()
	session := begin(t, s.Client(), s.URL)
	var open []*http.Response
	for range maxStreams {
		resp := sessionRequest(t, s, http.MethodGet, session, "")
		if resp.StatusCode != 200 {
			t.Fatalf("stream %d got %s", len(open)+1, resp.Status)
		}
		open = append(open, resp)
	}
	resp := sessionRequest(t, s, http.MethodGet, session, "")
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 409 || !strings.Contains(string(body), "as many streams as it may have") {
		t.Errorf("the fifth stream got %s %s", resp.Status, body)
	}
	open[1].Body.Close()
	for resp = sessionRequest(t, s, http.MethodGet, session, ""); resp.StatusCode == 409; {
		// The server has not noticed the end yet.
		resp = sessionRequest(t, s, http.MethodGet, session, "")
	}
	if resp.StatusCode != 200 {
		t.Errorf("a stream after the end of another got %s", resp.Status)
	}
	sessionRequest(t, s, http.MethodDelete, session, "")
	for _, resp := range append(open[2:], open[0], resp) {
		if _, err := io.ReadAll(resp.Body); err != nil {
			t.Errorf("a stream of an ended session: %v", err)
		}
	}
}

// hookContext calls hook when a context is derived from it.
type hookContext struct {
	context.Context
	hook func()
}

func (c hookContext) Done() <-chan struct{} { c.hook(); return c.Context.Done() }

// TestStreamOfASessionThatEnds has a session end while its stream begins: the stream
// must not stay open.
func TestStreamOfASessionThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHTTP(t, newFakeServer(), HTTPOptions{})
		session := h.sessions.begin(false)
		serve := func(ctx context.Context, method string) int {
			r := httptest.NewRequestWithContext(ctx, method, "http://127.0.0.1:8808/mcp", nil)
			r.Header = http.Header{"Mcp-Session-Id": {session}}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // when the client leaves
		defer cancel()
		start := time.Now()
		end := sync.OnceFunc(func() { serve(t.Context(), http.MethodDelete) })
		if code := serve(hookContext{ctx, end}, http.MethodGet); code != 404 || time.Since(start) != 0 {
			t.Errorf("the stream ended with %d after %s, want 404 at once", code, time.Since(start))
		}
	})
}

// sessionRequest sends a request of a session. Its response is closed when the
// test ends.
func sessionRequest(t *testing.T, s *httptest.Server, method, session, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Mcp-Session-Id": {session}}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}
