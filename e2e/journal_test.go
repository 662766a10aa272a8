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

// journal holds the lines of an output as they come. It is safe for concurrent
// use.
type journal struct {
	mu      sync.Mutex // guards what follows
	kept    []string
	parsed  []message     // of kept; what is not a message is zero here
	over    bool          // nothing more will come
	changed chan struct{} // closed at the next change; nil while nobody waits
}

func (j *journal) add(line string) {
	m, _ := parse(line) // messages says what is wrong with it
	j.change(func() { j.kept, j.parsed = append(j.kept, line), append(j.parsed, m) })
}

func (j *journal) close() { j.change(func() { j.over = true }) }

// dropUnfinished takes out a last line that never ended: its writer was killed.
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

// state returns the lines so far, what they are as messages and, unless there
// will be no more, a channel that closes when that has changed.
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

// readFrom keeps all of r, by lines, and closes the journal.
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

// await returns the first line that match accepts, and waits for it.
func (j *journal) await(t *testing.T, what string, match func(line string, m message) bool) message {
	t.Helper()
	timeout := time.After(patience)
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

// messages returns all lines as messages, which each has to be.
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
