package sandbox

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Bounds of a file.
const (
	fileFormat   = 1
	maxFileBytes = 32 << 20
	maxFileRuns  = 200
	lockTimeout  = 5 * time.Second
	lockInterval = 5 * time.Millisecond
)

// WithFile keeps functions, threads and runs in the file at path, which any
// number of processes may share. It keeps the newest 1,000 functions and threads
// and 200 runs, in at most 32 MiB. The file and its directory are made when they
// are missing, with access for their owner alone. A lock file stands beside it.
//
// A file that cannot be decoded is renamed to path + ".damaged", and the Server
// begins with an empty one. If the file cannot be read, written or locked within
// 5 seconds, the Server goes on in memory; see [Server.FileError].
func WithFile(path string) Option {
	return func(s *Server) { s.store.file = &file{path: path} }
}

// FileError returns why the Server does not use the file of [WithFile] any more.
// It returns nil if the Server uses it, has not used it yet, or has none.
func (s *Server) FileError() error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if s.store.file == nil {
		return nil
	}
	return s.store.file.err
}

// file shares a store with other processes. The store's mutex guards it. Every
// access happens under the lock file, because Windows cannot replace a file that
// another process reads.
type file struct {
	path string
	head []byte // the first line of the content that the store has
	err  error  // why the file is not used any more
}

// header is the first line of a file. Change differs after each change.
type header struct {
	Format int    `json:"format"`
	Change string `json:"change"`
}

// content is the second line of a file.
type content struct {
	Seeded    bool        `json:"seeded,omitempty"` // it has, or had, the examples
	Functions []*function `json:"functions"`
	Threads   []*thread   `json:"threads"`
	Runs      []*run      `json:"runs"`
}

// begin locks the file and loads what other processes have changed. The function
// that it returns saves the store, if it is told to, and unlocks the file. Without a
// file that can be used, both do nothing.
func (f *file) begin(s *store) (end func(save bool)) {
	if f == nil || f.err != nil {
		return func(bool) {}
	}
	unlock, err := f.lock()
	if err != nil {
		f.fail("locking", err)
		return func(bool) {}
	}
	f.load(s)
	return func(save bool) {
		defer unlock()
		if !save || f.err != nil {
			return
		}
		if err := f.save(s); err != nil {
			f.fail("writing", err)
		}
	}
}

func (f *file) fail(doing string, err error) {
	f.err = fmt.Errorf("sandbox: %s the file %s: %w; what is built is kept in memory only", doing, f.path, err)
}

// lock takes the lock file, and waits for other processes at most lockTimeout.
func (f *file) lock() (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(lockTimeout); ; time.Sleep(lockInterval) {
		unlock, err = tryLock(f.path + ".lock")
		if !errors.Is(err, errLocked) || time.Now().After(deadline) {
			return unlock, err
		}
	}
}

var errLocked = errors.New("another process holds its lock")

// load replaces the content of the store if the file has changed. A missing file
// changes nothing: the next save writes it again.
func (f *file) load(s *store) {
	r, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		f.fail("opening", err)
		return
	}
	defer r.Close()
	lines := bufio.NewReader(io.LimitReader(r, maxFileBytes))
	head, err := lines.ReadSlice('\n')
	if err == nil && bytes.Equal(head, f.head) {
		return
	}
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		f.fail("reading", err)
		return
	}
	head = bytes.Clone(head)
	c, err := decodeContent(head, lines)
	switch {
	case err == nil:
		c.fill(s)
		f.head = head
	case errors.Is(err, errNewer):
		f.fail("reading", err)
	default:
		r.Close() // because Windows cannot rename an open file
		if err := os.Rename(f.path, f.path+".damaged"); err != nil {
			f.fail("setting aside", err)
		}
	}
}

var errNewer = errors.New("a newer version has written it")

// decodeContent decodes and checks the content that follows head.
func decodeContent(head []byte, rest io.Reader) (*content, error) {
	var h header
	if err := json.Unmarshal(head, &h); err != nil {
		return nil, err
	}
	if h.Format > fileFormat {
		return nil, errNewer
	}
	var c content
	dec := json.NewDecoder(rest)
	dec.UseNumber() // so that the result of a run keeps its digits
	if err := dec.Decode(&c); err != nil {
		return nil, err
	}
	if h.Format != fileFormat || !c.valid() {
		return nil, errors.New("not a sandbox file")
	}
	return &c, nil
}

// valid reports whether all values of c have what the package relies on.
func (c *content) valid() bool {
	for _, f := range c.Functions {
		if f == nil || f.ID == "" || len(f.Versions) == 0 {
			return false
		}
	}
	for _, th := range c.Threads {
		if th == nil || th.ID == "" || th.Turn.FunctionID == "" && !th.Turn.Upload.IsZero() {
			return false
		}
	}
	for _, r := range c.Runs {
		if r == nil || r.ID == "" || r.Outcome == nil && !r.Started.IsZero() {
			return false
		}
	}
	return true
}

// fill replaces the content of the store by c.
func (c *content) fill(s *store) {
	s.seeded = c.Seeded
	s.functions, s.threads, s.runs = boundedMap[*function]{}, boundedMap[*thread]{}, boundedMap[*run]{}
	for _, f := range c.Functions {
		s.functions.put(f.ID, f)
	}
	for _, th := range c.Threads {
		s.threads.put(th.ID, th)
	}
	for _, r := range c.Runs {
		s.runs.put(r.ID, r)
	}
	s.runEnded.wake()
}

// save replaces the file by the content of the store. If that exceeds
// maxFileBytes it leaves out the oldest half, as often as needed.
func (f *file) save(s *store) error {
	head, err := encode(header{fileFormat, rand.Text()})
	if err != nil {
		return err
	}
	head = append(head, '\n')
	var data []byte
	for n := maxKept; ; n /= 2 {
		c := content{s.seeded, s.functions.list(n), s.threads.list(n), s.runs.list(min(n, maxFileRuns))}
		if data, err = encode(c); err != nil {
			return err
		}
		if len(head)+len(data) < maxFileBytes {
			break
		}
	}
	if err := os.WriteFile(f.path+".new", append(head, data...), 0o600); err != nil {
		return err
	}
	if err := os.Rename(f.path+".new", f.path); err != nil {
		return err
	}
	f.head = head
	return nil
}
