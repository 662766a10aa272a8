package transport

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestStdioTranscripts plays what goes over the wire, both ways. A step is a
// line to the server ("> "), or "# wait DURATION", "# eof", "# gone" or "# stop"; what
// the server wrote since is "< ", what its tool saw "~ ".
func TestStdioTranscripts(t *testing.T) {
	replay(t, "testdata/stdio.txtar", func(t *testing.T, steps []string) (lines []string) {
		synctest.Test(t, func(t *testing.T) { lines = playStdio(t, newFakeServer(), steps) })
		return lines
	})
}

func playStdio(t *testing.T, f *fakeServer, steps []string) (lines []string) {
	ctx, stop := context.WithCancel(t.Context())
	in, toServer := io.Pipe()
	gone := make(chan struct{})
	defer toServer.Close()
	out := &recorder{}
	start := time.Now()
	ended := make(chan string, 1)
	go func() {
		s := newStdio(f.srv, in, out, StdioOptions{MaxCalls: 3, Gone: gone, OnStop: f.stop, Tasks: f.tasks, Toolbox: f.toolbox})
		s.in.max = 1000
		err := s.serve(ctx)
		ended <- fmt.Sprintf("~ ended after %s: %v", time.Since(start).Truncate(100*time.Millisecond), err)
	}()
	flush := func() {
		synctest.Wait()
		for line := range strings.Lines(out.take()) {
			lines = append(lines, "< "+strings.TrimRight(line, "\n"))
		}
		for _, note := range f.notes() {
			lines = append(lines, "~ "+note)
		}
	}
	for _, step := range steps {
		lines = append(lines, step)
		switch kind, rest, _ := strings.Cut(step, " "); {
		case kind == ">":
			fmt.Fprintf(toServer, "%s\n", rest)
		case step == "# eof":
			toServer.Close()
		case step == "# gone":
			close(gone)
		case step == "# stop":
			stop()
		case strings.HasPrefix(step, "# wait "):
			d, err := time.ParseDuration(strings.TrimPrefix(step, "# wait "))
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(d)
		case f.signal[step] != nil:
			f.signal[step]()
		}
		flush()
	}
	stop()
	f.stop()
	lines = append(lines, <-ended)
	return lines
}

// recorder records what is written. Each message must be one Write.
type recorder struct {
	mu     sync.Mutex // guards what follows
	b      bytes.Buffer
	broken []string // writes that were not one line
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if bytes.Count(p, []byte("\n")) != 1 || p[len(p)-1] != '\n' {
		r.broken = append(r.broken, string(p))
	}
	return r.b.Write(p)
}

func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.b.String()
	r.b.Reset()
	for _, p := range r.broken {
		s += fmt.Sprintf("NOT ONE LINE: %q\n", p)
	}
	return s
}
