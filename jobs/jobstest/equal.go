package jobstest

import (
	"reflect"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

func get(t *testing.T, s jobs.Store, id string) jobs.Job {
	t.Helper()
	job, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get(%s): %v", id, err)
	}
	return job
}

// equalJob compares jobs in all they hold, times as instants, but for Volatile:
// that is the store's own word.
func equalJob(t *testing.T, got, want jobs.Job) {
	t.Helper()
	got.StartedAt, got.EndedAt = got.StartedAt.UTC(), got.EndedAt.UTC()
	want.StartedAt, want.EndedAt = want.StartedAt.UTC(), want.EndedAt.UTC()
	got.Volatile, want.Volatile = false, false
	if !reflect.DeepEqual(got, want) {
		t.Errorf("job %s\n got %+v %+v %+v\nwant %+v %+v %+v", want.ID, got, got.Build, got.Run, want, want.Build, want.Run)
	}
}

func equalEntries(t *testing.T, got, want []jobs.Entry) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %d entries, want %d: %+v", len(got), len(want), got)
		return
	}
	for i, w := range want {
		g := got[i]
		at := g.At.Equal(w.At)
		g.At, w.At = time.Time{}, time.Time{}
		if g != w || !at {
			t.Errorf("entry %d = %+v, want %+v", i, got[i], want[i])
		}
	}
}
