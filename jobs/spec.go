package jobs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Errors of a build that is to continue another.
var (
	// ErrNoThread says that a build has no thread that could be continued.
	ErrNoThread = errors.New("the build has no thread to continue; start a new build")
	// ErrThreadBusy says that another build of the thread still runs.
	ErrThreadBusy = errors.New("another turn of this build's thread is still running; wait until it has ended, then continue it")
)

// Spec says what to do, and for whom: a [BuildSpec], a [RunSpec] or a [BatchSpec].
type Spec interface{ plan() plan }

// plan is how a job is started and done.
type plan struct {
	client  *notte.Client
	job     Job    // what is stored before anything starts
	joinKey string // see [CreateOptions]
	join    bool
	items   []json.RawMessage // of a batch

	// check returns why the job cannot be started now, unless it is joined.
	check func(ctx context.Context, m *Manager) error

	// work does the job and returns how it ended. ctx ends with errCancelled or
	// errStopped as its cause.
	work func(ctx context.Context, r *record, m *Manager) outcome
}

// BuildSpec asks for a build of Query. Unless ForceNew is set, a running build
// of the same query by the same owner is joined instead.
type BuildSpec struct {
	Client   *notte.Client
	Query    string
	ForceNew bool

	// Continue makes the build the next turn in the thread of this one, which
	// must have ended. Nil begins a new thread.
	Continue *Job

	// Detach asks Notte to go on with the build by itself. See [Build].
	Detach bool
}

// plan makes the join key of the words of the query as they were sent: other
// spacing is the same work. The service's URL is part of the key, so a sandbox
// build never joins a real one, and so is the build that this one continues. The
// stored query never contains the API key; the one sent to Notte is unchanged.
func (s BuildSpec) plan() plan {
	b := &Build{Query: s.Client.Redact(s.Query)}
	same := s.Client.AnythingURL() + "\n" + words(s.Query)
	if s.Continue != nil {
		b.Continues = s.Continue.ID
		same += "\n" + s.Continue.ID
	}
	sum := sha256.Sum256([]byte(same))
	return plan{
		client: s.Client, job: Job{ID: newID("build_"), Kind: KindBuild, Build: b},
		joinKey: hex.EncodeToString(sum[:]), join: !s.ForceNew, check: s.check, work: s.work,
	}
}

// words returns a query without its spacing.
func words(query string) string { return strings.Join(strings.Fields(query), " ") }

// check returns why the build cannot be continued now.
func (s BuildSpec) check(ctx context.Context, m *Manager) error {
	switch {
	case s.Continue == nil:
		return nil
	case s.Continue.Build.ThreadID == "":
		return ErrNoThread
	case !s.Continue.State.Ended():
		return ErrThreadBusy
	}
	running, err := m.List(ctx, Query{Owner: s.Client.Owner(), Kind: KindBuild, State: StateRunning, Limit: claimedJobs})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(running, s.isOtherTurn) {
		return ErrThreadBusy
	}
	return nil
}

// isOtherTurn reports whether a build is of the thread that this one continues, and
// not the same turn.
func (s BuildSpec) isOtherTurn(other Job) bool {
	b := other.Build
	follows := b.Continues == s.Continue.ID
	same := !s.ForceNew && follows && words(b.Query) == words(s.Client.Redact(s.Query))
	return !same && (follows || b.ThreadID == s.Continue.Build.ThreadID)
}

// RunSpec asks for a run of a function. Each Start runs it: a function may act
// on the world, so two runs are never one.
type RunSpec struct {
	Client     *notte.Client
	FunctionID string
	Variables  json.RawMessage // a JSON object, or nil

	// refused is called if the run of an item never began, and reports whether the
	// item waits again. Nil: it does, because its process is gone.
	refused func(error) bool
}

func (s RunSpec) plan() plan {
	r := &Run{FunctionID: s.FunctionID}
	if s.Variables != nil {
		r.Variables = json.RawMessage(s.Client.Redact(string(s.Variables)))
	}
	return plan{client: s.Client, job: Job{ID: newID("run_"), Kind: KindRun, Run: r}, work: s.work}
}

// newID returns an ID that cannot be guessed: 130 random bits.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }
