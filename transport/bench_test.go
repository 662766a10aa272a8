package transport

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// BenchmarkStdioUpdate measures one progress update, from Send to the client's
// end of a pipe.
func BenchmarkStdioUpdate(b *testing.B) {
	fromServer, out := io.Pipe()
	in := strings.NewReader(request(1, 1, fmt.Sprintf(`{"updates":%d}`, b.N)))
	served := make(chan error, 1)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		served <- ServeStdio(b.Context(), newFakeServer().srv, in, out, StdioOptions{Grace: time.Hour})
		out.Close()
	}()
	if _, err := io.Copy(io.Discard, fromServer); err != nil {
		b.Error(err)
	}
	if err := <-served; err != nil {
		b.Error(err)
	}
}

// BenchmarkHTTPUpdate measures one progress update over a loopback connection.
func BenchmarkHTTPUpdate(b *testing.B) {
	h, err := NewHTTP(newFakeServer().srv, HTTPOptions{Addr: "127.0.0.1:8808"})
	if err != nil {
		b.Fatal(err)
	}
	s := httptest.NewServer(h)
	defer s.Close()
	req := modernCall(b, s.URL, 1, fmt.Sprintf(`{"updates":%d}`, b.N))
	b.ReportAllocs()
	b.ResetTimer()
	resp, err := s.Client().Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK || n < int64(b.N) {
		b.Errorf("got %s and %d bytes: %v", resp.Status, n, err)
	}
}
