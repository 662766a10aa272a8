package jobs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// TestNote logs the first failure of a series and its end, and takes a call of the store
// that was given up for neither.
func TestNote(t *testing.T) {
	var log bytes.Buffer
	c := newRecorder(&Manager{log: slog.New(slog.NewTextHandler(&log, nil))})
	full := errors.New("the disk is full")
	for _, step := range []struct {
		err  error
		id   string
		want string
	}{
		{nil, "", ""},
		{context.Canceled, "", ""},
		{full, "", "later\" err="},
		{full, "build_1", ""},
		{context.Canceled, "", ""},
		{context.DeadlineExceeded, "", ""},
		{ErrNotFound, "", "stored again"},
		{full, "build_1", "later\" job=build_1 err="},
	} {
		log.Reset()
		c.note(step.err, step.id)
		if got := log.String(); !strings.Contains(got, step.want) || (got == "") != (step.want == "") {
			t.Errorf("%v of %q was logged as %q, want %q", step.err, step.id, got, step.want)
		}
	}
}
