package sqlite_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/functions/functionstest"
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
)

func TestCatalogueContract(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *sqlite.Store{
		"disk":   func(t *testing.T) *sqlite.Store { return sqlite.New(t.TempDir()) },
		"memory": func(*testing.T) *sqlite.Store { return sqlite.NewMemory() },
	} {
		t.Run(name, func(t *testing.T) {
			functionstest.Test(t, func(t *testing.T) functions.Store {
				s := open(t)
				t.Cleanup(func() { s.Close() })
				return s
			})
		})
	}
}

var account = functions.Account{Owner: "me", APIURL: "https://api.test"}

// The words in which a user asked for a function find it.
func TestSearchByQuery(t *testing.T) {
	s := sqlite.NewMemory()
	t.Cleanup(func() { s.Close() })
	for i, f := range []struct{ owner, function, query string }{
		{"me", "f1", "watch the tide tables of Brest"},
		{"me", "f2", "something else"},
		{"you", "f2", "tide tables"},
	} {
		job := jobs.Job{
			ID: fmt.Sprint("build_", i), Owner: f.owner, Kind: jobs.KindBuild, State: jobs.StateRunning, StartedAt: time.UnixMilli(1),
			Build: &jobs.Build{Query: f.query, FunctionID: f.function},
		}
		if _, _, err := s.Create(t.Context(), job, jobs.CreateOptions{Holder: "h", Until: time.UnixMilli(2)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"f1", "f2"} {
		if err := s.PutFunction(t.Context(), account, functions.Function{ID: id, Name: "a name", ReadAt: time.UnixMilli(3)}); err != nil {
			t.Fatal(err)
		}
	}
	found, err := s.SearchFunctions(t.Context(), account, functions.Search{Words: []string{"tide", "tables"}, Limit: 5})
	if err != nil || len(found) != 1 || found[0].ID != "f1" {
		t.Errorf("found %+v, %v", found, err)
	}
}

// What is not used any more is deleted with the jobs of its time.
func TestForgetFunctions(t *testing.T) {
	s := sqlite.NewMemory()
	t.Cleanup(func() { s.Close() })
	now := time.UnixMilli(1_000_000)
	for i, a := range []functions.Account{account, {Owner: "you", APIURL: account.APIURL}} {
		began := now.Add(time.Duration(i) * time.Hour)
		r := functions.Reading{Began: began, Complete: true, Functions: []functions.Function{{ID: "f", Name: "posts", ReadAt: began}}}
		if err := s.PutReading(t.Context(), a, "h", r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Forget(t.Context(), now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for owner, want := range map[string]int{"me": 0, "you": 1} {
		a := functions.Account{Owner: owner, APIURL: account.APIURL}
		found, err := s.SearchFunctions(t.Context(), a, functions.Search{Words: []string{"posts"}, Limit: 5})
		state, stateErr := s.CatalogueState(t.Context(), a)
		if err != nil || stateErr != nil || len(found) != want || state.ReadAt.IsZero() != (want == 0) {
			t.Errorf("%s has %d functions, %+v (%v, %v)", owner, len(found), state, err, stateErr)
		}
	}
}

// BenchmarkSearch searches 1,000 functions, all of which match.
func BenchmarkSearch(b *testing.B) {
	s := sqlite.New(b.TempDir())
	b.Cleanup(func() { s.Close() })
	r := functions.Reading{Began: time.Now(), Complete: true}
	for i := range 1000 {
		f := functions.Function{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Name: fmt.Sprintf("fetch-top-posts-%d", i), Site: fmt.Sprintf("s%d.example.com", i%50),
			Description: "Fetches the newest posts of a forum, with their titles, their links and the number of comments.", ReadAt: r.Began,
		}
		for v := range 5 {
			f.Variables = append(f.Variables, functions.Variable{Name: fmt.Sprint("variable", v), Type: functions.String, Default: []byte(`"a default"`)})
		}
		r.Functions = append(r.Functions, f)
	}
	began := time.Now()
	if err := s.PutReading(b.Context(), account, "h", r); err != nil {
		b.Fatal(err)
	}
	b.Logf("stored in %v", time.Since(began))
	began = time.Now()
	if err := s.PutReading(b.Context(), account, "h", r); err != nil {
		b.Fatal(err)
	}
	b.Logf("stored again in %v", time.Since(began))
	for name, q := range map[string]functions.Search{
		"words":   {Words: []string{"fetch", "the", "newest", "posts", "of", "a", "forum", "with", "links"}, Limit: 11},
		"similar": {Words: []string{"fetch", "posts"}, Sites: []string{"s7.example.com"}, Limit: 3},
		"all":     {Limit: 11},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.SearchFunctions(b.Context(), account, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A list of tools asks for the pins before anything is stored.
func TestPinGenerationCreatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := sqlite.New(dir)
	t.Cleanup(func() { s.Close() })
	if n, err := s.PinGeneration(t.Context()); n != 0 || err != nil {
		t.Errorf("the generation is %d, %v", n, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was made (%v)", err)
	}
}
