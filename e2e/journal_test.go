package e2e_test

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// journal collects the lines of an output as they come. It is safe for
// concurrent use.
type journal struct {
	mu      sync.Mutex // guards all fields
	kept    []string
	parsed  []message     // of kept; zero for a line that is not a message
	over    bool          // set when no more lines will come
	changed chan struct{} // closed at the next change; nil if nobody waits
}

func (j *journal) add(line string) {
	m, _ := parse(line) // messages reports the error
	j.change(func() { j.kept, j.parsed = append(j.kept, line), append(j.parsed, m) })
}

func (j *journal) close() { j.change(func() { j.over = true }) }

// dropUnfinished removes a last line without a line end, whose writer was killed.
func (j *journal) dropUnfinished() {
	j.change(func() {
		if last := len(j.kept) - 1; last >= 0 && !strings.HasSuffix(j.kept[last], "\n") {
			j.kept, j.parsed = j.kept[:last], j.parsed[:last]
		}
	})
}

func (j *journal) change(change func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change()
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
}

// state returns the lines so far, parsed too, and a channel that is closed at the
// next change. The channel is nil if no more lines will come.
func (j *journal) state() (lines []string, parsed []message, changed <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.over && j.changed == nil {
		j.changed = make(chan struct{})
	}
	return slices.Clip(j.kept), slices.Clip(j.parsed), j.changed
}

func (j *journal) lines() []string {
	lines, _, _ := j.state()
	return lines
}

func (j *journal) String() string { return strings.Join(j.lines(), "") }

// readFrom adds the lines of r and then closes the journal.
func (j *journal) readFrom(r io.Reader) {
	defer j.close()
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			j.add(line)
		}
		if err != nil {
			return
		}
	}
}

// await waits for the first line that match accepts, and returns its message.
func (j *journal) await(t *testing.T, what string, match func(line string, m message) bool) message {
	t.Helper()
	timeout := time.After(awaitTimeout)
	for seen := 0; ; {
		lines, parsed, changed := j.state()
		for ; seen < len(lines); seen++ {
			if match(lines[seen], parsed[seen]) {
				return parsed[seen]
			}
		}
		if changed == nil {
			t.Fatalf("the output ended before %s came", what)
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("%s did not come", what)
		}
	}
}

// messages returns all lines as messages. A line that is none fails the test.
func (j *journal) messages(t *testing.T) []message {
	t.Helper()
	lines, parsed, _ := j.state()
	for _, line := range lines {
		if _, err := parse(line); err != nil {
			t.Error(err)
		}
	}
	return parsed
}

// updates counts the progress updates of a call.
func (j *journal) updates(id int) (n int) {
	_, parsed, _ := j.state()
	for _, m := range parsed {
		if m.updates(id) {
			n++
		}
	}
	return n
}
