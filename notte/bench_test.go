package notte

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// deltas is a build of n text deltas of about 50 bytes each, and its end.
func deltas(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "data: {\"type\":\"text_delta\",\"delta\":\"%06d wo\"}\n\n", i)
	}
	b.WriteString(`data: {"type":"done","total_cost_usd":0.43}` + "\n\n")
	return b.Bytes()
}

// BenchmarkStream reads a build of 100,000 deltas (5 MB) over HTTP, once
// through a Stream and once as bytes: the second is what the first is held
// against.
func BenchmarkStream(b *testing.B) {
	body := deltas(100_000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", eventStream)
		w.Write(body)
	}))
	defer srv.Close()
	c, err := NewClient(Config{Key: "bench-key", AnythingURL: srv.URL})
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, read func(*Stream) int) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				s, err := c.StartBuild(b.Context(), "q")
				if err != nil {
					b.Fatal(err)
				}
				if n := read(s); n == 0 {
					b.Fatalf("read %d", n)
				}
			}
		})
	}
	run("raw", func(s *Stream) int {
		defer s.Close()
		n, _ := io.Copy(io.Discard, s.body.ReadCloser)
		return int(n)
	})
	run("events", func(s *Stream) int {
		n := 0
		for _, err := range s.Events() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		return n
	})
}

// BenchmarkLargeEvent reads one tool result of 16 MiB, in pieces of 4 KiB.
func BenchmarkLargeEvent(b *testing.B) {
	event := `data: {"type":"tool_result","content":"` + strings.Repeat(`{\"a\": 1} `, 16<<20/11) + "\"}\n\ndata: {\"type\":\"done\"}\n\n"
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		s := testStream(pieces(event, 4096))
		n := 0
		for _, err := range s.Events() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 2 {
			b.Fatalf("%d events", n)
		}
	}
}
