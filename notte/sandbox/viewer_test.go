package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// open gets a viewer's page like a browser, without a key.
func open(t *testing.T, s *sandbox.Server, link string) (*http.Response, string) {
	t.Helper()
	resp, err := s.Client().Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(page)
}

func TestViewerPage(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		hostile := `3 of <script>alert("x")</script> at https://e.test/"onload=1`
		link := find(build(t, s, hostile), "notte_session_data")["viewer_url"].(string)
		resp, page := open(t, s, link)
		policy := resp.Header.Get("Content-Security-Policy")
		nonce := regexp.MustCompile(`script-src 'nonce-([A-Z2-7]+)'`).FindStringSubmatch(policy)
		if resp.StatusCode != 200 || nonce == nil || !strings.HasPrefix(policy, "default-src 'none';") {
			t.Fatalf("%s, policy %q", resp.Status, policy)
		}
		if !strings.Contains(page, `<style nonce="`+nonce[1]+`">`) || !strings.Contains(page, "SIMULATED") ||
			!strings.Contains(page, "Session finished.") || !strings.Contains(page, "browser_goto") {
			t.Errorf("page:\n%s", page)
		}
		if strings.Contains(page, "<script>alert") || !strings.Contains(page, "&lt;script&gt;alert") {
			t.Error("the query is not escaped")
		}
		for header, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"} {
			if got := resp.Header.Get(header); got != want {
				t.Errorf("%s: %q", header, got)
			}
		}
	}, sandbox.WithSpeed(0))
}

func TestViewerTokens(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		link := find(build(t, s, news), "notte_session_data")["viewer_url"].(string)
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{u.Path, u.Path + "?token=", u.Path + "?token=other", u.Path + "/events", "/viewer/none?" + u.RawQuery} {
			if resp, page := open(t, s, "http://sandbox.test"+path); resp.StatusCode != 404 || strings.Contains(page, "hacker") {
				t.Errorf("%s: %s", path, resp.Status)
			}
		}
	}, sandbox.WithSpeed(0))
}

func TestViewerLive(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		stream := send(t, s, buildRequest(t.Context(), news)).Body
		var received strings.Builder
		for !strings.Contains(received.String(), "viewer_url") {
			var b [512]byte
			n, err := stream.Read(b[:])
			if err != nil {
				t.Fatal(err)
			}
			received.Write(b[:n])
		}
		link := regexp.MustCompile(`http://[^"]+`).FindString(received.String())
		if _, page := open(t, s, link); !strings.Contains(page, "The agent is at work.") || !strings.Contains(page, "EventSource") {
			t.Errorf("page of a live session:\n%s", page)
		}
		path, query, _ := strings.Cut(link, "?")
		live, err := s.Client().Get(path + "/events?" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer live.Body.Close()
		go io.Copy(io.Discard, stream)

		began := time.Now()
		data, err := io.ReadAll(live.Body)
		if took := time.Since(began); err != nil || took < 3*time.Second {
			t.Errorf("the session was followed for %v, %v", took, err)
		}
		if !strings.Contains(string(data), `"kind":"function_uploaded"`) ||
			!strings.Contains(string(data), "event: end\ndata: {\"at\":0,\"kind\":\"end\",\"text\":\"finished\"}\n\n") {
			t.Errorf("events:\n%s", data)
		}
		synctest.Wait()
	})
}

func TestViewerOfAnAbandonedBuild(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		resp := send(t, s, buildRequest(t.Context(), "x [sandbox:slow]"))
		var received strings.Builder
		for !strings.Contains(received.String(), "viewer_url") {
			var b [512]byte
			n, _ := resp.Body.Read(b[:])
			received.Write(b[:n])
		}
		resp.Body.Close()
		synctest.Wait()
		_, page := open(t, s, regexp.MustCompile(`http://[^"]+`).FindString(received.String()))
		if !strings.Contains(page, "Session abandoned: the client left.") {
			t.Errorf("page:\n%s", page)
		}
	})
}
