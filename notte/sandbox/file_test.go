package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// shared calls f with a function that makes Servers of the v2 contract with the
// file at path, as several processes would.
func shared(t *testing.T, path string, f func(t *testing.T, server func() *sandbox.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t, func() *sandbox.Server {
			s := sandbox.New(sandbox.WithAPI(sandbox.V2), sandbox.WithFile(path))
			t.Cleanup(s.Close)
			return s
		})
	})
}

func tempFile(t *testing.T) string { return filepath.Join(t.TempDir(), "state", "sandbox.json") }

func TestFileOutlivesItsServer(t *testing.T) {
	path := tempFile(t)
	shared(t, path, func(t *testing.T, server func() *sandbox.Server) {
		first := server()
		_, thread, _ := start(t, first, turn{Query: news})
		f := functions(t, first)[0]
		id := f["function_id"].(string)
		run := ok(t, first, "POST", "/functions/"+id+"/runs/start", startBody(id, `{"count":"2"}`, false))
		ok(t, first, "POST", "/functions/"+id+"/schedule", `{"cron":"0 9 * * *","variables":{"count":12345678901234567890}}`)
		f = functions(t, first)[0]
		_, detached, _ := start(t, first, turn{Query: "list books", Detach: true})
		first.Close()

		second := server()
		if got := functions(t, second)[0]; fmt.Sprint(got) != fmt.Sprint(f) {
			t.Errorf("got\n%v\nwant\n%v", got, f)
		}
		if got := ok(t, second, "GET", "/functions/"+id+"/runs/"+run["function_run_id"].(string), ""); got["status"] != "closed" || !strings.Contains(got["result"].(string), "'count': 2") {
			t.Errorf("the run: %v", got)
		}
		if status, _, _ := start(t, second, turn{Query: "and more", ThreadID: detached}); status != 409 {
			t.Errorf("a follow-up of the build that goes on: %d", status)
		}
		start(t, second, turn{Query: "make it 9", ThreadID: thread})
		all := functions(t, second)
		if len(all) != 2 || all[0]["name"] != "list-books" || all[1]["latest_version"] != "2" {
			t.Errorf("after a follow-up and the detached build: %v", all)
		}
		if err := second.FileError(); err != nil {
			t.Error(err)
		}
	})
}

func TestFileIsShared(t *testing.T) {
	shared(t, tempFile(t), func(t *testing.T, server func() *sandbox.Server) {
		a, b := server(), server()
		idA, idB := a.AddFunction(sandbox.Function{Name: "a"}), b.AddFunction(sandbox.Function{Name: "b"})
		for _, s := range []*sandbox.Server{a, b} {
			ok(t, s, "GET", "/functions/"+idA, "")
			ok(t, s, "GET", "/functions/"+idB, "")
		}
		ok(t, a, "DELETE", "/functions/"+idB, "")
		if all := functions(t, b); len(all) != 1 || all[0]["name"] != "a" {
			t.Errorf("after a deletion by the other: %v", all)
		}
		_, thread, _ := start(t, a, turn{Query: "x", Detach: true})
		if status, _, _ := start(t, b, turn{Query: "y", ThreadID: thread}); status != 409 {
			t.Errorf("a follow-up by the other: %d", status)
		}
		<-time.After(time.Minute)
		if all := functions(t, b); len(all) != 2 {
			t.Errorf("after the build of the other: %v", all)
		}
	})
}

// TestRunEndsInAnotherProcess checks that a caller that waits for a run learns
// within 2 seconds that another process has stopped it.
func TestRunEndsInAnotherProcess(t *testing.T) {
	shared(t, tempFile(t), func(t *testing.T, server func() *sandbox.Server) {
		a, b := server(), server()
		id := a.AddFunction(sandbox.Function{Run: &sandbox.Outcome{After: time.Hour}})
		began := time.Now()
		answer := make(chan map[string]any)
		go func() { answer <- ok(t, a, "POST", "/functions/"+id+"/runs/start", startBody(id, `{}`, false)) }()
		<-time.After(time.Minute)
		ok(t, b, "DELETE", "/functions/"+id+"/runs/"+onlyRun(t, b, id, "true")["function_run_id"].(string), "")
		if got := <-answer; got["status"] != "failed" || time.Since(began) > 62*time.Second {
			t.Errorf("after %v: %v", time.Since(began), got)
		}
	})
}

// TestManyProcesses makes ten Servers change one file at once and checks that
// nothing is lost.
func TestManyProcesses(t *testing.T) {
	path := tempFile(t)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			s := sandbox.New(sandbox.WithFile(path))
			defer s.Close()
			for j := range 10 {
				s.AddFunction(sandbox.Function{ID: fmt.Sprint(i, "-", j)})
			}
			if err := s.FileError(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := sandbox.New(sandbox.WithFile(path))
	defer s.Close()
	if n := len(functions(t, s)); n != 100 {
		t.Errorf("%d functions, want 100", n)
	}
}

func TestFileAccess(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	path := tempFile(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	s := sandbox.New(sandbox.WithFile(path))
	defer s.Close()
	s.AddFunction(sandbox.Function{})
	for name, want := range map[string]os.FileMode{path: 0o600, path + ".lock": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: %o, want %o", name, got, want)
		}
	}
}

// TestUnusableFile checks that the Server goes on in memory and says why.
func TestUnusableFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, data string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	newer := write("newer.json", `{"format":2}`+"\n[]")
	held := filepath.Join(dir, "held")
	if err := os.MkdirAll(filepath.Join(held, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		newer: "a newer version has written it",
		filepath.Join(write("file", ""), "sandbox.json"): "locking the file",
		held: held, // a directory
	} {
		s := sandbox.New(sandbox.WithFile(path))
		defer s.Close()
		if err := s.FileError(); err != nil {
			t.Errorf("before its use: %v", err)
		}
		s.AddFunction(sandbox.Function{})
		if n := len(functions(t, s)); n != 1 {
			t.Errorf("%s: %d functions", path, n)
		}
		if err := s.FileError(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "memory") {
			t.Errorf("%s: %v, want %q in it", path, err, want)
		}
	}
	if data, err := os.ReadFile(newer); err != nil || !strings.HasPrefix(string(data), `{"format":2}`) {
		t.Errorf("the newer file is now %q, %v", data, err)
	}
}

// TestHeldLock checks that a Server waits 5 seconds for a lock, then goes on in
// memory.
func TestHeldLock(t *testing.T) {
	path := tempFile(t)
	shared(t, path, func(t *testing.T, server func() *sandbox.Server) {
		s, other := server(), server()
		id := other.AddFunction(sandbox.Function{})
		holding, let := make(chan struct{}), make(chan struct{})
		go other.UpdateFunction(id, func(*sandbox.Function) {
			close(holding)
			<-let
		})
		<-holding
		began := time.Now()
		s.AddFunction(sandbox.Function{})
		if took := time.Since(began); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("took %v", took)
		}
		if err := s.FileError(); err == nil || !strings.Contains(err.Error(), "another process holds its lock") {
			t.Errorf("got %v", err)
		}
		close(let)
	})
}

func TestFileIsRemovedWhileInUse(t *testing.T) {
	path := tempFile(t)
	s := sandbox.New(sandbox.WithFile(path))
	defer s.Close()
	s.AddFunction(sandbox.Function{ID: "a"})
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	s.AddFunction(sandbox.Function{ID: "b"})
	other := sandbox.New(sandbox.WithFile(path))
	defer other.Close()
	if n := len(functions(t, other)); n != 2 || s.FileError() != nil {
		t.Errorf("%d functions, %v", n, s.FileError())
	}
}

func TestFileIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("encodes 100 MiB")
	}
	path := tempFile(t)
	s := sandbox.New(sandbox.WithFile(path))
	defer s.Close()
	large := strings.Repeat("x", 10<<20)
	for i := range 4 {
		s.AddFunction(sandbox.Function{ID: fmt.Sprint("f", i), Description: large})
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 32<<20 {
		t.Fatalf("%d bytes, %v", info.Size(), err)
	}
	other := sandbox.New(sandbox.WithFile(path))
	defer other.Close()
	w := httptest.NewRecorder()
	other.ServeHTTP(w, request(t.Context(), "GET", "/functions/f3", ""))
	if w.Code != http.StatusOK || other.FileError() != nil {
		t.Errorf("the newest function: %d, %v", w.Code, other.FileError())
	}
}
