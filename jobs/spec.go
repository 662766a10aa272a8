package jobs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Spec says what to do, and for whom: a [BuildSpec] or a [RunSpec].
type Spec interface {
	client() *notte.Client
	job() Job               // what is stored before anything starts
	options() CreateOptions // how it may be joined

	// check returns why the job cannot be started now, unless it is joined.
	check(ctx context.Context, m *Manager) error

	// work does the job and returns how it ended. ctx ends with errCancelled or
	// errStopped as its cause.
	work(ctx context.Context, r *record, m *Manager) outcome
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

// RunSpec asks for a run of a function. Each Start runs it: a function may act
// on the world, so two runs are never one.
type RunSpec struct {
	Client     *notte.Client
	FunctionID string
	Variables  json.RawMessage // a JSON object, or nil
}

func (s BuildSpec) client() *notte.Client { return s.Client }
func (s RunSpec) client() *notte.Client   { return s.Client }

func (s BuildSpec) job() Job {
	// The stored query never contains the API key; the one sent to Notte is
	// unchanged.
	b := &Build{Query: s.Client.Redact(s.Query)}
	if s.Continue != nil {
		b.Continues = s.Continue.ID
	}
	return Job{ID: newID("build_"), Kind: KindBuild, Build: b}
}

func (s RunSpec) job() Job {
	var variables json.RawMessage
	if s.Variables != nil {
		variables = json.RawMessage(s.Client.Redact(string(s.Variables)))
	}
	return Job{ID: newID("run_"), Kind: KindRun, Run: &Run{FunctionID: s.FunctionID, Variables: variables}}
}

// options makes the join key of the words of the query as they were sent: other
// spacing is the same work. The service's URL is part of the key, so a sandbox
// build never joins a real one, and so is the build that this one continues.
func (s BuildSpec) options() CreateOptions {
	work := s.Client.AnythingURL() + "\n" + words(s.Query)
	if s.Continue != nil {
		work += "\n" + s.Continue.ID
	}
	sum := sha256.Sum256([]byte(work))
	return CreateOptions{JoinKey: hex.EncodeToString(sum[:]), Join: !s.ForceNew}
}

// words returns a query without its spacing.
func words(query string) string { return strings.Join(strings.Fields(query), " ") }

func (s RunSpec) options() CreateOptions { return CreateOptions{} }

// newID returns an ID that cannot be guessed: 130 random bits.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }
