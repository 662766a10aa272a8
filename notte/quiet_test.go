package notte

import (
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// TestQuietStreamsHoldLittle measures the heap that a stream holds while nothing
// comes, after different beginnings. A build may be quiet for minutes, and there
// may be a thousand. go-sse alone would hold more than 4 KiB.
func TestQuietStreamsHoldLittle(t *testing.T) {
	const streams = 50
	event := "data: {\"type\":\"status\",\"status\":\"a\"}\n\n"
	for _, tt := range []struct{ name, begin, end string }{
		{"nothing", "", ""},
		{"an event", event, ""},
		{"part of an event", event, "data: {"},
		{"a burst and an event", strings.Repeat(event, 5000), event},
		{"a burst of deltas and an event", string(deltas(5000)[:200_000]) + "\"}\n\n", event},
		{"chunks of v2", chunks(start, startStep, `{"type":"text-start","id":"t1"}`, textOf("t1", "a")), chunks(`{"type":"tool-input-start","toolCallId":"c1","toolName":"bash"}`)},
		{"a burst of deltas of v2 and a chunk", string(deltasV2(5000)[:200_000]) + "\"}\n\n", chunks(`{"type":"data-function","data":{"id":"f1"}}`)},
		{"a large event and another", "data: {\"type\":\"tool_result\",\"content\":\"" + strings.Repeat("x", 1<<20) + "\"}\n\n", event},
	} {
		synctest.Test(t, func(t *testing.T) {
			var pipes []*io.PipeWriter
			before := heap()
			for range streams {
				r, w := io.Pipe()
				pipes = append(pipes, w)
				go func() {
					for range testStream(r).Events() {
					}
				}()
				io.WriteString(w, tt.begin)
				io.WriteString(w, tt.end)
			}
			synctest.Wait() // until all of them are read and wait for more
			if each := int64(heap()-before) / streams; each > 3<<10 {
				t.Errorf("after %s: each stream holds %d bytes", tt.name, each)
			}
			for _, w := range pipes {
				w.Close()
			}
		})
	}
}

// heap returns how many bytes of the heap are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
