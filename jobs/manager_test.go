package jobs_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// fixture is a Manager with the sandbox, in a bubble.
type fixture struct {
	*jobs.Manager
	notte  *sandbox.Server
	client *notte.Client
}

// inBubble runs a test in a bubble and ends everything in it.
func inBubble(t *testing.T, test func(*testing.T, *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &fixture{notte: sandbox.New()}
		defer b.notte.Close()
		b.client = clientOf(t, b.notte, "key-of-ann")
		b.Manager = jobs.NewManager(newStore(t), jobs.Options{})
		defer stop(b)
		test(t, b)
	})
}

// newStore returns an empty store on disk.
func newStore(t *testing.T) jobs.Store {
	store := sqlite.New(t.TempDir())
	t.Cleanup(func() { store.Close() })
	return store
}

// stop ends a Manager, whose store may be failing.
func stop(m interface{ Stop(context.Context) error }) {
	ctx, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	_ = m.Stop(ctx)
}

func clientOf(t *testing.T, s *sandbox.Server, key notte.APIKey) *notte.Client {
	t.Helper()
	c, err := notte.NewClient(notte.Config{
		Key: key, APIURL: "http://api.test", AnythingURL: "http://anything.test", HTTPClient: s.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (b *fixture) build(t *testing.T, query string) jobs.Job {
	t.Helper()
	return b.start(t, jobs.BuildSpec{Client: b.client, Query: query})
}

func (b *fixture) start(t *testing.T, spec jobs.Spec) jobs.Job {
	t.Helper()
	job, joined, err := b.Start(t.Context(), spec)
	if err != nil || joined {
		t.Fatalf("Start = %+v, joined %v, %v", job, joined, err)
	}
	return job
}

// follow yields the entries of a job's log above after until its end.
func (b *fixture) follow(ctx context.Context, owner, id string, after int64) iter.Seq2[jobs.Entry, error] {
	return func(yield func(jobs.Entry, error) bool) {
		for {
			entries, err := b.Next(ctx, owner, id, after, time.Hour)
			if err != nil {
				yield(jobs.Entry{}, err)
				return
			}
			for _, e := range entries {
				if !yield(e, nil) || e.Final {
					return
				}
				after = e.Seq
			}
		}
	}
}

// textOf is what an event of the log says.
func textOf(e jobs.Entry) string {
	return cmp.Or(e.Status, e.Delta, e.Name, e.Role, e.ViewerURL, e.FunctionName, e.Message)
}

// end follows a job to its end and returns it, and its log.
func (b *fixture) end(t *testing.T, job jobs.Job) (jobs.Job, []jobs.Entry) {
	t.Helper()
	var log []jobs.Entry
	for e, err := range b.follow(t.Context(), job.Owner, job.ID, 0) {
		if err != nil {
			t.Fatalf("Follow: %v", err)
		}
		log = append(log, e)
	}
	ended, err := b.Get(t.Context(), job.Owner, job.ID)
	if err != nil || !ended.State.Ended() {
		t.Fatalf("after its log's end the job is %+v, %v", ended, err)
	}
	return ended, log
}

func (b *fixture) starts() int {
	n := 0
	for _, r := range b.notte.Requests() {
		if r.Path == "/api/anything/start" {
			n++
		}
	}
	return n
}

type object = map[string]any

func event(typ string, fields ...any) sandbox.Step {
	o := object{"type": typ}
	for i := 0; i < len(fields); i += 2 {
		o[fields[i].(string)] = fields[i+1]
	}
	return sandbox.Event(o)
}

func TestBuild(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		b.notte.Script("q",
			sandbox.Delay(time.Second), // for the follower to be there
			event("status", "status", "running"),
			event("notte_session_data", "viewer_url", "https://v.test/?token=s3cret"),
			event("thinking_delta", "delta", "hm, "), event("thinking_delta", "delta", "well"),
			event("text_delta", "delta", "on my way"), event("message_complete", "role", "assistant"),
			event("tool_start", "name", "goto"), event("tool_result", "content", strings.Repeat("x", 100)),
			event("text_delta", "delta", "here "), event("text_delta", "delta", "it is"),
			event("message_complete", "role", "assistant"),
			event("function_uploaded", "function_id", "f1", "function_name", "posts", "created_at", "now"),
			sandbox.Delay(time.Second), // for it to have seen the link, which the end erases
			event("done", "total_cost_usd", 0.43, "metadata", object{"thread_id": "t1"}),
		)
		started := b.build(t, "q")
		if started.State != jobs.StateRunning || started.Owner != b.client.Owner() || !strings.HasPrefix(started.ID, "build_") {
			t.Errorf("started = %+v", started)
		}
		job, log := b.end(t, started)
		got := *job.Build
		if got.TotalCostUSD == nil || *got.TotalCostUSD != 0.43 {
			t.Errorf("cost = %v, want 0.43", got.TotalCostUSD)
		}
		if job.State != jobs.StateDone || got.FunctionID != "f1" || got.FunctionName != "posts" || got.ThreadID != "t1" ||
			got.Answer != "here it is" || got.Thinking != "hm, well" || !slices.Equal(got.Steps, []string{"goto"}) ||
			got.Status != "running" || got.ViewerURL != "" {
			t.Errorf("job = %+v %+v", job, got)
		}
		var told []string
		for i, e := range log {
			if e.Seq != int64(i+1) {
				t.Errorf("entry %d has Seq %d", i, e.Seq)
			}
			if e.Final != (i == len(log)-1) {
				t.Errorf("entry %d of %d: final is %v", i, len(log), e.Final)
			}
			told = append(told, string(e.Type)+":"+textOf(e))
		}
		want := []string{
			"status:running", "notte_session_data:https://v.test/?token=s3cret", "thinking_delta:hm, well",
			"text_delta:on my way", "message_complete:assistant", "tool_start:goto", "text_delta:here it is", "message_complete:assistant", "function_uploaded:posts", "done:",
		}
		if !slices.Equal(told, want) {
			t.Errorf("log\n got %q\nwant %q", told, want)
		}
		_, log = b.end(t, started)
		for _, e := range log {
			if strings.Contains(textOf(e), "s3cret") {
				t.Errorf("a stored entry still holds the viewer's token: %+v", e)
			}
		}
	})
}

func TestKeyInPieces(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		b.notte.Script("q", event("text_delta", "delta", "it is key-of"), event("text_delta", "delta", "-ann."),
			sandbox.Delay(time.Second), event("done"))
		job, log := b.end(t, b.build(t, "q"))
		if all := fmt.Sprint(job.Build.Answer, log); strings.Contains(all, "key-of-ann") || !strings.Contains(all, "it is ") {
			t.Errorf("the key in two deltas became whole: %s", all)
		}
	})
}

func TestBuildEnds(t *testing.T) {
	uploaded := event("function_uploaded", "function_id", "f1", "function_name", "n")
	for _, c := range []struct {
		why   string
		steps []sandbox.Step
		state jobs.State
		check func(jobs.Build) bool
	}{
		{"error", []sandbox.Step{uploaded, event("error", "error", "E", "detail", "D")}, jobs.StateError,
			func(b jobs.Build) bool { return b.Error == "E" && b.Detail == "D" && b.FunctionID == "f1" }},
		{"timeout", []sandbox.Step{event("timeout", "reason", "R", "detail", "D")}, jobs.StateTimeout,
			func(b jobs.Build) bool { return b.Reason == "R" && b.Detail == "D" }},
		{"cancelled", []sandbox.Step{event("cancelled", "reason", "R")}, jobs.StateCancelled,
			func(b jobs.Build) bool { return b.Reason == "R" }},
		{"done without cost", []sandbox.Step{event("done", "function_id", "f2")}, jobs.StateDone,
			func(b jobs.Build) bool { return b.TotalCostUSD == nil && b.FunctionID == "f2" }},
		{"done forgets the function", []sandbox.Step{uploaded, event("done", "function_id", nil)}, jobs.StateDone,
			func(b jobs.Build) bool { return b.FunctionID == "f1" }},
		{"cut", []sandbox.Step{uploaded, sandbox.Cut()}, jobs.StateInterrupted,
			func(b jobs.Build) bool { return b.FunctionID == "f1" && b.Error != "" }},
		{"reset", []sandbox.Step{uploaded, sandbox.Reset()}, jobs.StateInterrupted,
			func(b jobs.Build) bool { return b.FunctionID == "f1" && b.Error != "" }},
		{"reset before an answer", []sandbox.Step{sandbox.Reset()}, jobs.StateInterrupted,
			func(b jobs.Build) bool { return b.Error != "" }},
		{"stall", []sandbox.Step{uploaded, sandbox.Stall()}, jobs.StateInterrupted,
			func(b jobs.Build) bool { return b.FunctionID == "f1" && b.Error != "" }},
		{"refused", []sandbox.Step{sandbox.Status(502, "application/json", `{"error":"no agent"}`)}, jobs.StateError,
			func(b jobs.Build) bool { return strings.Contains(b.Error, "no agent") }},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *fixture) {
				b.notte.Script("q", c.steps...)
				job, _ := b.end(t, b.build(t, "q"))
				if job.State != c.state || !c.check(*job.Build) {
					t.Errorf("ended as %s, want %s: %+v", job.State, c.state, *job.Build)
				}
				if b.starts() != 1 {
					t.Errorf("the build was started %d times", b.starts())
				}
			})
		})
	}
}

func TestJoin(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		b.notte.Script("the query", sandbox.Stall())
		first := b.build(t, "the query")
		again, joined, err := b.Start(t.Context(), jobs.BuildSpec{Client: b.client, Query: " the\n query "})
		if err != nil || !joined || again.ID != first.ID {
			t.Errorf("the same query: %s, joined %v, %v; want %s", again.ID, joined, err, first.ID)
		}
		forced := b.start(t, jobs.BuildSpec{Client: b.client, Query: "the query", ForceNew: true})
		other := b.start(t, jobs.BuildSpec{Client: clientOf(t, b.notte, "key-of-bob"), Query: "the query"})
		if forced.ID == first.ID || other.ID == first.ID {
			t.Error("joined another's build, or one although a new one was forced")
		}
		synctest.Wait()
		if b.starts() != 3 {
			t.Errorf("%d builds were started, want 3", b.starts())
		}
	})
}

func TestJoinRace(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		b.notte.Script("q", sandbox.Delay(time.Second), event("done"))
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				job, _, err := b.Start(t.Context(), jobs.BuildSpec{Client: b.client, Query: "q"})
				if err != nil {
					t.Error(err)
					return
				}
				if job, _ := b.end(t, job); job.State != jobs.StateDone {
					t.Errorf("ended as %s", job.State)
				}
			})
		}
		wg.Wait()
		if b.starts() != 1 {
			t.Errorf("50 callers at once started %d builds, want 1", b.starts())
		}
	})
}

func TestJobOutlivesItsCaller(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		b.notte.Script("q", event("status", "status", "s"), sandbox.Delay(10*time.Minute/3), event("done", "function_id", "f"))
		ctx, leave := context.WithCancelCause(t.Context())
		defer leave(nil)
		job, _, err := b.Start(ctx, jobs.BuildSpec{Client: b.client, Query: "q"})
		if err != nil {
			t.Fatal(err)
		}
		gone := errors.New("gone")
		for _, err := range b.follow(ctx, job.Owner, job.ID, 0) {
			if err != nil && !errors.Is(err, gone) {
				t.Errorf("the follower was told %v, want its own reason to leave", err)
			}
			leave(gone)
		}
		if job, _ = b.end(t, job); job.State != jobs.StateDone {
			t.Errorf("ended as %s", job.State)
		}
	})
}

func TestFollowFromAnywhere(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		var steps []sandbox.Step
		for i := range 20 {
			steps = append(steps, event("tool_start", "name", fmt.Sprint(i)), sandbox.Delay(time.Second))
		}
		b.notte.Script("q", append(steps, event("done"))...)
		job := b.build(t, "q")
		var wg sync.WaitGroup
		for after := range int64(21) {
			wg.Go(func() {
				time.Sleep(time.Duration(20-after) * time.Second) // some come early, some late, one at the end
				seq := after
				for e, err := range b.follow(t.Context(), job.Owner, job.ID, after) {
					if err != nil {
						t.Error(err)
					}
					if seq++; e.Seq != seq {
						t.Errorf("from %d: got %d, want %d", after, e.Seq, seq)
					}
				}
				if seq != 21 {
					t.Errorf("from %d: the log ended at %d, want 21", after, seq)
				}
			})
		}
		wg.Wait()
		for e, err := range b.follow(t.Context(), job.Owner, job.ID, 99) {
			if err != nil || !e.Final {
				t.Errorf("from beyond the end: %+v, %v; want a final entry", e, err)
			}
		}
	})
}

func TestOthersSeeNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		b.notte.Script("q", sandbox.Stall())
		job := b.build(t, "q")
		bob := clientOf(t, b.notte, "key-of-bob").Owner()
		for _, id := range []string{job.ID, "build_none"} {
			if _, err := b.Get(t.Context(), bob, id); !errors.Is(err, jobs.ErrNotFound) {
				t.Errorf("Get(%s) = %v", id, err)
			}
			if _, err := b.Cancel(t.Context(), bob, id); !errors.Is(err, jobs.ErrNotFound) {
				t.Errorf("Cancel(%s) = %v", id, err)
			}
			for _, err := range b.follow(t.Context(), bob, id, 0) {
				if !errors.Is(err, jobs.ErrNotFound) {
					t.Errorf("Follow(%s) = %v", id, err)
				}
			}
		}
	})
}

func TestCancelBuild(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		b.notte.Script("q", event("function_uploaded", "function_id", "f1"), sandbox.Stall())
		job := b.build(t, "q")
		synctest.Wait()
		job, err := b.Cancel(t.Context(), job.Owner, job.ID)
		if err != nil || job.State != jobs.StateCancelled || job.Build.FunctionID != "f1" || job.Build.Reason == "" {
			t.Errorf("Cancel = %+v %+v, %v", job, job.Build, err)
		}
		if _, err := b.Cancel(t.Context(), job.Owner, job.ID); !errors.Is(err, jobs.ErrEnded) {
			t.Errorf("second Cancel = %v, want ErrEnded", err)
		}
		synctest.Wait()
		if r := b.notte.Requests()[0]; r.ClientLeft.IsZero() {
			t.Error("the stream was not closed")
		}
	})
}

func TestStop(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		b.notte.Script("q", event("function_uploaded", "function_id", "f1"), sandbox.Stall())
		job := b.build(t, "q")
		synctest.Wait()
		if err := b.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		job, _ = b.end(t, job)
		if job.State != jobs.StateInterrupted || job.Build.FunctionID != "f1" {
			t.Errorf("job = %+v %+v", job, job.Build)
		}
		if _, _, err := b.Start(t.Context(), jobs.BuildSpec{Client: b.client, Query: "q"}); !errors.Is(err, jobs.ErrStopping) {
			t.Errorf("Start after Stop = %v", err)
		}
		if b.starts() != 1 {
			t.Errorf("%d starts, want 1", b.starts())
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		text := strings.Repeat("é", 50_000) // 100 kB
		b.notte.Script("q", sandbox.Batch(
			sandbox.Repeat(20, event("text_delta", "delta", text), event("thinking_delta", "delta", text)),
			sandbox.Repeat(20_000, event("tool_start", "name", strings.Repeat("n", 30))),
			event("text_delta", "delta", "the end"), event("done"),
		))
		job, log := b.end(t, b.build(t, "q"))
		got := job.Build
		if n := len(got.Answer); n < 255<<10 || n > 257<<10 || !strings.HasSuffix(got.Answer, "the end") {
			t.Errorf("kept %d bytes of the answer, want about 256 KiB with its end", n)
		}
		if n := len(got.Thinking); n < 63<<10 || n > 65<<10 {
			t.Errorf("kept %d bytes of thinking, want about 64 KiB", n)
		}
		if note := fmt.Sprintf(" [… %d bytes left out …] ", 2_000_007-256<<10); !strings.Contains(got.Answer, note) {
			t.Errorf("the answer does not say %q", note)
		}
		if got.StepCount != 20_000 || len(got.Steps) > 200 {
			t.Errorf("%d steps, %d of them kept", got.StepCount, len(got.Steps))
		}
		if len(log) > 22_500 || !log[len(log)-1].Final {
			t.Errorf("%d entries", len(log))
		}
		if _, log = b.end(t, job); len(log) > 4096 {
			t.Errorf("%d entries were kept", len(log))
		}
	})
}
