package jobs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// lateStore takes a second to say that it has taken a job.
type lateStore struct{ jobs.Store }

func (s lateStore) Create(ctx context.Context, job jobs.Job, opts jobs.CreateOptions) (jobs.Job, jobs.Lease, error) {
	defer time.Sleep(time.Second)
	return s.Store.Create(ctx, job, opts)
}

// A caller that leaves while its job is being started learns that the job was started,
// because the job may be billed.
func TestCallerLeavesDuringStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New()
		defer s.Close()
		b := &fixture{Manager: jobs.NewManager(lateStore{newStore(t)}, jobs.Options{}), notte: s, client: clientOf(t, s, "key-of-ann")}
		defer stop(b)
		s.Script("q", sandbox.Event(object{"type": "done"}))
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second/2, leave)
		job, joined, err := b.Start(ctx, jobs.BuildSpec{Client: b.client, Query: "q"})
		if err != nil || joined || job.ID == "" {
			t.Fatalf("the caller got the job %q, joined %v, and the error %v", job.ID, joined, err)
		}
		if job, _ = b.end(t, job); job.State != jobs.StateDone {
			t.Errorf("the job ended as %s", job.State)
		}
	})
}
