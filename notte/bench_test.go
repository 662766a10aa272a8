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

// deltas is a build of v1 with n text deltas of about 50 bytes each, and its end.
func deltas(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "data: {\"type\":\"text_delta\",\"delta\":\"%06d wo\"}\n\n", i)
	}
	b.WriteString(`data: {"type":"done","total_cost_usd":0.43}` + "\n\n")
	return b.Bytes()
}

// deltasV2 is deltas in v2.
func deltasV2(n int) []byte {
	var b bytes.Buffer
	b.WriteString("data: {\"type\":\"start\"}\n\ndata: {\"type\":\"start-step\"}\n\ndata: {\"type\":\"text-start\",\"id\":\"txt-0\"}\n\n")
	for i := range n {
		fmt.Fprintf(&b, "data: {\"type\":\"text-delta\",\"id\":\"txt-0\",\"delta\":\"%06d wo\"}\n\n", i)
	}
	b.WriteString("data: {\"type\":\"text-end\",\"id\":\"txt-0\"}\n\ndata: {\"type\":\"finish-step\"}\n\ndata: {\"type\":\"finish\"}\n\ndata: [DONE]\n\n")
	return b.Bytes()
}

// BenchmarkStream reads a build of 100,000 deltas (5 MB in v1, 6.5 MB in v2) over
// HTTP, once through a Stream and once as bytes, which is the baseline. The server
// writes each event by itself into net/http's buffer, or all at once.
func BenchmarkStream(b *testing.B) {
	const n = 100_000
	for name, body := range map[string][]byte{"v1": deltas(n), "v2": deltasV2(n)} {
		b.Run(name+"/by event", func(b *testing.B) {
			benchStream(b, n, body, func(w http.ResponseWriter) {
				for event := range bytes.SplitAfterSeq(body, []byte("\n\n")) {
					w.Write(event)
				}
			})
		})
		b.Run(name+"/at once", func(b *testing.B) {
			benchStream(b, n, body, func(w http.ResponseWriter) { w.Write(body) })
		})
	}
}

// benchStream reads body, a build of n deltas that write writes.
func benchStream(b *testing.B, n int, body []byte, write func(w http.ResponseWriter)) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", eventStream)
		write(w)
	}))
	defer srv.Close()
	c, err := NewClient(Config{Key: "bench-key", AnythingURL: srv.URL, HTTPClient: NewHTTPClient(4<<10, Proxies{})})
	if err != nil {
		b.Fatal(err)
	}
	for _, read := range []struct {
		name string
		read func(*Stream) (length int, err error)
	}{{"raw", readRaw}, {"events", readDeltas}} {
		b.Run(read.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				s, err := c.StartBuild(b.Context(), BuildRequest{Query: "q"})
				if err != nil {
					b.Fatal(err)
				}
				if got, err := read.read(s); err != nil || got != len(body) && got != n*len("000000 wo") {
					b.Fatal(got, err)
				}
			}
		})
	}
}

// readRaw reads a stream as bytes, and returns how many there are.
func readRaw(s *Stream) (int, error) {
	defer s.Close()
	n, err := io.Copy(io.Discard, s.body.ReadCloser)
	return int(n), err
}

// readDeltas reads a stream as events, and returns the length of its text.
func readDeltas(s *Stream) (length int, err error) {
	for ev, e := range s.Events() {
		length += len(ev.Delta)
		err = e
	}
	return length, err
}

// BenchmarkLargeEvent reads one tool result of 16 MiB, in pieces of 4 KiB.
func BenchmarkLargeEvent(b *testing.B) {
	content := strings.Repeat(`{\"a\": 1} `, 16<<20/11)
	for name, event := range map[string]string{
		"v1": chunks(`{"type":"tool_result","content":"`+content+`"}`, `{"type":"done"}`),
		"v2": chunks(`{"type":"tool-output-available","output":"`+content+`"}`, `{"type":"abort"}`, "[DONE]"),
	} {
		b.Run(name, func(b *testing.B) {
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
		})
	}
}
