package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
)

func TestNothingIsTouchedBeforeUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := sqlite.New(dir).Close(); err != nil {
		t.Error(err)
	}
	store := sqlite.New(dir)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is there before the store is used: %v", err)
	}
	if _, err := store.Get(t.Context(), "build_0"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "jobs.db")); err != nil {
		t.Error(err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if _, err := store.Get(t.Context(), "build_0"); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("Get after Close = %v, want an error that says so", err)
	}
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are another thing there")
	}
	dir := filepath.Join(t.TempDir(), "state", "anything-mcp")
	for _, when := range []string{"made", "found"} {
		store := sqlite.New(dir)
		whole(t, store, "build_"+when, 1)
		want := map[string]os.FileMode{".": 0o700, "jobs.db": 0o600, "jobs.db-wal": 0o600, "jobs.db-shm": 0o600}
		for name, mode := range want {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: %s has %v, %v; want %v", when, name, info.Mode().Perm(), err, mode)
			}
		}
		if names, err := os.ReadDir(dir); err != nil || len(names) != len(want)-1 {
			t.Errorf("%s: in the directory are %v, %v", when, names, err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		// As after a copy of the file that does not keep its mode.
		if err := os.Chmod(filepath.Join(dir, "jobs.db"), 0o644); err != nil {
			t.Error(err)
		}
	}
}

func TestOddDirectories(t *testing.T) {
	for _, name := range []string{"with space", "50%", "a#b", "a&b=c", "über", "a;b", "%41"} {
		dir := filepath.Join(t.TempDir(), name)
		store := sqlite.New(dir)
		whole(t, store, "build_1", 1)
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "jobs.db")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnfitFiles puts a file that must not be used in the database's place.
func TestUnfitFiles(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(t *testing.T, path string) // in the place of the database
		says []string
	}{
		"text": {putText, []string{"not a database", "move it aside"}},
		"truncated": {func(t *testing.T, path string) {
			putJobs(t, path)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()/2); err != nil {
				t.Fatal(err)
			}
		}, []string{"malformed", "move it aside"}},
		"header only": {func(t *testing.T, path string) {
			putJobs(t, path)
			if err := os.Truncate(path, 100); err != nil {
				t.Fatal(err)
			}
		}, []string{"malformed", "move it aside"}},
		"damaged inside": {func(t *testing.T, path string) {
			putJobs(t, path)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := 4096; i < len(data); i++ {
				data[i] = 0xA5
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"malformed", "move it aside"}},
		"another program's": {func(t *testing.T, path string) {
			query(t, path, "CREATE TABLE bookmarks (url TEXT)")
		}, []string{"belongs to another program", "move it aside"}},
		"another program's, marked": {func(t *testing.T, path string) {
			query(t, path, "PRAGMA application_id = 252006673")
		}, []string{"belongs to another program", "move it aside"}},
		"newer": {func(t *testing.T, path string) {
			putJobs(t, path)
			query(t, path, "PRAGMA user_version = 99")
		}, []string{"newer version", "99", "update this anything-mcp"}},
		"a directory": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, []string{"not a regular file", "move it aside"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "jobs.db")
			c.put(t, path)
			before, _ := os.ReadFile(path)
			store := sqlite.New(filepath.Dir(path))
			_, err := store.List(t.Context(), jobs.Query{Owner: "ann", Kind: jobs.KindBuild, Limit: 100})
			refused(t, err, path, c.says...)
			_, _, err = store.Create(t.Context(), build("build_late"), options(""))
			refused(t, err, path, c.says...)
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
			// The same store goes on once the file is out of the way.
			if err := os.Rename(path, path+".aside"); err != nil {
				t.Fatal(err)
			}
			if name != "damaged inside" { // which was open
				whole(t, store, "build_late", 3)
			}
			if err := store.Close(); err != nil && name != "damaged inside" {
				t.Error(err)
			}
		})
	}
}

// refused checks that an error names the file and says certain things.
func refused(t *testing.T, err error, path string, says ...string) {
	t.Helper()
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok || e.Path != path {
		t.Fatalf("got %v, want an *Error about %s", err, path)
	}
	for _, word := range append(says, path) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func putText(t *testing.T, path string) {
	text := strings.Repeat("This is a letter to a friend.\n", 1000)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// putJobs makes a database with some jobs in it.
func putJobs(t *testing.T, path string) {
	t.Helper()
	store := sqlite.New(filepath.Dir(path))
	for i := range 100 {
		whole(t, store, fmt.Sprint("build_", i), 3)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// query runs a statement on a database, as other tools do.
func query(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestUnusableDirectories(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	putText(t, file)
	sealed := filepath.Join(t.TempDir(), "sealed")
	if err := os.Mkdir(sealed, 0o500); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), filepath.Join(sealed, "below"), sealed} {
		if strings.HasPrefix(dir, sealed) && (os.Geteuid() == 0 || runtime.GOOS == "windows") {
			continue // root may write anywhere
		}
		_, _, err := sqlite.New(dir).Create(t.Context(), build("build_1"), options(""))
		refused(t, err, filepath.Join(dir, "jobs.db"), "directory exists and can be written", "change the state directory")
	}
}

// Others lose the permission to write to the user's directory. A directory for the
// all users keep files, or of another user, is not used.
func TestUnsafeDirectories(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are another thing there")
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	store := sqlite.New(open)
	defer store.Close()
	whole(t, store, "build_1", 1)
	if info, err := os.Stat(open); err != nil || info.Mode().Perm()&0o022 != 0 {
		t.Errorf("others may still write: %v, %v", info.Mode(), err)
	}
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o1777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", shared)
	_, _, err := sqlite.New(shared).Create(t.Context(), build("build_1"), options(""))
	refused(t, err, filepath.Join(shared, "jobs.db"), "all users keep files", "change the state directory")

	foreign := t.TempDir()
	if os.Geteuid() != 0 || os.Chown(foreign, 4711, 4711) != nil {
		t.Skip("only root can make a directory another user's")
	}
	_, _, err = sqlite.New(foreign).Create(t.Context(), build("build_1"), options(""))
	refused(t, err, filepath.Join(foreign, "jobs.db"), "4711", "change the state directory")
}

// A database that is deleted under a running store is created anew, in a new
// directory if need be: what follows is stored.
func TestDeletedDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	store := sqlite.New(dir)
	defer store.Close()
	whole(t, store, "build_1", 1)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Get(t.Context(), "build_1"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	whole(t, store, "build_2", 1)
	other := sqlite.New(dir)
	defer other.Close()
	if job, err := other.Get(t.Context(), "build_2"); err != nil || job.State != jobs.StateDone {
		t.Errorf("another process reads %s, %v", job.State, err)
	}
}
