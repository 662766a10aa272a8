package jobs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

func TestFindBuild(t *testing.T) {
	inV2(t, jobs.Options{ReuseWindow: time.Hour}, func(t *testing.T, b *fixture) {
		find := func(query string) string {
			job, err := b.FindBuild(t.Context(), b.client, query)
			if err != nil && !errors.Is(err, jobs.ErrNotFound) {
				t.Fatal(err)
			}
			return job.ID
		}
		want := func(when, query, id string) {
			t.Helper()
			if got := find(query); got != id {
				t.Errorf("%s: found %q, want %q", when, got, id)
			}
		}
		b.notte.Script("two words", sandbox.Delay(10*time.Minute), sandbox.Status(500, "", "failed"))
		b.notte.Script("with the key-of-ann", sandbox.Delay(10*time.Minute), sandbox.Cut())
		want("before it begins", "two words", "")
		first := b.build(t, "two words").ID
		secret := b.build(t, "with the key-of-ann").ID
		want("while it runs", "  two\n words ", first)
		want("another query", "two word", "")
		want("a query with the key", "with the key-of-ann", secret)
		if _, err := b.FindBuild(t.Context(), clientOf(t, b.notte, "key-of-bob"), "two words"); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("another owner finds it: %v", err)
		}
		time.Sleep(30 * time.Minute)
		want("after it has failed", "two words", first)
		job, _, err := b.Start(t.Context(), jobs.BuildSpec{Client: b.client, Query: "two words", ForceNew: true})
		if err != nil {
			t.Fatal(err)
		}
		want("while another one runs", "two words", job.ID)
		time.Sleep(2 * time.Hour)
		want("after the reuse window", "two words", "")
	})
}
