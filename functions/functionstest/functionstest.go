// Package functionstest holds the contract of a [functions.Store] as a test.
package functionstest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/functions"
)

// Test runs the contract against stores that open returns: each call of open gives an
// empty store.
func Test(t *testing.T, open func(*testing.T) functions.Store) {
	for name, test := range map[string]func(*testing.T, functions.Store){
		"State":    testState,
		"Lease":    testLease,
		"Reading":  testReading,
		"Partial":  testPartialReading,
		"Function": testFunction,
		"Search":   testSearch,
		"Sites":    testSites,
		"Pages":    testPages,
		"Accounts": testAccounts,

		"Pins":          testPins,
		"PinPlaces":     testPinPlaces,
		"PinGeneration": testPinGeneration,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var (
	mine  = functions.Account{Owner: "me", APIURL: "https://api.test"}
	epoch = time.Date(2026, 7, 28, 12, 0, 0, int(time.Millisecond), time.UTC)
)

func after(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

// function returns a function that was read at epoch.
func function(id, name, description, site string) functions.Function {
	return functions.Function{
		ID: id, Name: name, Description: description, Site: site, UpdatedAt: epoch.Add(-time.Hour), ReadAt: epoch,
		Variables: []functions.Variable{{Name: "count", Type: functions.Integer, Default: []byte("3")}},
	}
}

// read stores a whole reading that began some seconds after epoch.
func read(t *testing.T, s functions.Store, a functions.Account, seconds int, all ...functions.Function) {
	t.Helper()
	for i := range all {
		all[i].ReadAt = after(seconds)
	}
	if err := s.PutReading(t.Context(), a, "h", functions.Reading{Began: after(seconds), Functions: all, Complete: true}); err != nil {
		t.Fatal(err)
	}
}

// ids searches and returns the IDs of what is found.
func ids(t *testing.T, s functions.Store, a functions.Account, q functions.Search) (all []string) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	found, err := s.SearchFunctions(t.Context(), a, q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	for _, f := range found {
		all = append(all, f.ID)
	}
	return all
}

func wantIDs(t *testing.T, s functions.Store, q functions.Search, want ...string) {
	t.Helper()
	if got := ids(t, s, mine, q); !slices.Equal(got, want) {
		t.Errorf("%+v finds %q, want %q", q, got, want)
	}
}

func wantState(t *testing.T, s functions.Store, want functions.State) {
	t.Helper()
	got, err := s.CatalogueState(t.Context(), mine)
	if err != nil || !got.ReadAt.Equal(want.ReadAt) || got.Complete != want.Complete || !got.RetryAt.Equal(want.RetryAt) {
		t.Errorf("the state is %+v, %v, want %+v", got, err, want)
	}
}

func testState(t *testing.T, s functions.Store) {
	wantState(t, s, functions.State{})
	put := func(r functions.Reading) {
		t.Helper()
		if err := s.PutReading(t.Context(), mine, "h", r); err != nil {
			t.Fatal(err)
		}
	}
	put(functions.Reading{Began: after(1), Failed: true, RetryAt: after(9)})
	wantState(t, s, functions.State{RetryAt: after(9)})
	put(functions.Reading{Began: after(10), Complete: true})
	wantState(t, s, functions.State{ReadAt: after(10), Complete: true})
	put(functions.Reading{Began: after(20), Failed: true, RetryAt: after(30)})
	wantState(t, s, functions.State{ReadAt: after(10), Complete: true, RetryAt: after(30)})
	put(functions.Reading{Began: after(40)})
	wantState(t, s, functions.State{ReadAt: after(40)})
}

func testLease(t *testing.T, s functions.Store) {
	for i, step := range []struct {
		holder           string
		seen, now, until int
		end, want        bool
	}{
		{"a", 0, 0, 6, false, true},
		{"b", 0, 1, 7, false, false},
		{"a", 0, 1, 7, false, true},
		{"b", 0, 6, 12, false, false},
		{"b", 0, 7, 13, true, true},   // a's lease has run out
		{"c", 0, 8, 14, false, false}, // b has read the list
		{"c", 7, 8, 14, false, true},
		{"a", 7, 9, 15, false, false},
	} {
		var seen functions.State
		if step.seen > 0 {
			seen.ReadAt = after(step.seen)
		}
		got, err := s.LeaseCatalogue(t.Context(), mine, step.holder, seen, after(step.now), after(step.until))
		if err != nil || got != step.want {
			t.Errorf("step %d: %v, %v, want %v", i, got, err, step.want)
		}
		if step.end {
			// The end of a reading of another process leaves the lease as it is.
			for _, holder := range []string{"x", step.holder} {
				if err := s.PutReading(t.Context(), mine, holder, functions.Reading{Began: after(step.now)}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func testReading(t *testing.T, s functions.Store) {
	one, two, three := function("1", "one", "", ""), function("2", "two", "", ""), function("3", "three", "", "")
	read(t, s, mine, 0, one, two)
	looked := three
	looked.ReadAt = after(61) // looked up while the list was read
	if err := s.PutFunction(t.Context(), mine, looked); err != nil {
		t.Fatal(err)
	}
	two.Name = "deux"
	read(t, s, mine, 60, two)
	for _, id := range []string{"2", "3"} {
		if _, err := s.GetFunction(t.Context(), mine, id); err != nil {
			t.Errorf("function %s: %v", id, err)
		}
	}
	if _, err := s.GetFunction(t.Context(), mine, "1"); !errors.Is(err, functions.ErrNotFound) {
		t.Errorf("a function that is not in the list any more: %v", err)
	}
	wantIDs(t, s, functions.Search{Words: []string{"one"}})
	wantIDs(t, s, functions.Search{Words: []string{"two"}})
	wantIDs(t, s, functions.Search{Words: []string{"deux"}}, "2")
}

func testPartialReading(t *testing.T, s functions.Store) {
	read(t, s, mine, 0, function("1", "one", "", ""))
	for i, r := range []functions.Reading{{Failed: true}, {}} {
		r.Began = after(60 + i)
		r.Functions = []functions.Function{function(fmt.Sprint("more", i), "more", "", "")}
		if err := s.PutReading(t.Context(), mine, "h", r); err != nil {
			t.Fatal(err)
		}
	}
	if got := ids(t, s, mine, functions.Search{}); len(got) != 3 {
		t.Errorf("after two readings that did not reach the end: %q", got)
	}
}

func testFunction(t *testing.T, s functions.Store) {
	if _, err := s.GetFunction(t.Context(), mine, "f"); !errors.Is(err, functions.ErrNotFound) {
		t.Errorf("an unknown function: %v", err)
	}
	f := functions.Function{
		ID: "f", Name: "n", Description: "d", Site: "e.test", Source: "anything", Version: "2", Versions: 2, Unclear: true,
		Variables: []functions.Variable{{Name: "a", Type: functions.String, Required: true, Choices: []string{"x"}}},
		Secrets:   []string{"S"}, ScheduleCron: "* * * * *", ScheduleState: "active", Shared: true,
		UpdatedAt: epoch.Add(-time.Hour), ReadAt: epoch,
		Details: &functions.Details{Instructions: "i", ResponseFormat: []byte(`{"type":"array"}`), ReadAt: epoch},
	}
	put := func(f functions.Function) {
		t.Helper()
		if err := s.PutFunction(t.Context(), mine, f); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want functions.Function) {
		t.Helper()
		got, err := s.GetFunction(t.Context(), mine, "f")
		got.ReadAt, got.UpdatedAt = got.ReadAt.UTC(), got.UpdatedAt.UTC()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
	put(f)
	want(f)
	details := f.Details
	f.Details, f.Version, f.UpdatedAt, f.ReadAt = nil, "3", after(1), after(2)
	put(f)
	f.Details = details // what a list does not tell stays
	want(f)
	f.Details = &functions.Details{ReadAt: after(3)}
	put(f)
	want(f)
	for range 2 {
		if err := s.DeleteFunction(t.Context(), mine, "f"); err != nil {
			t.Error(err)
		}
	}
	wantIDs(t, s, functions.Search{Words: []string{"n"}})
}
