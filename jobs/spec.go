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
	return Job{ID: newID("build_"), Kind: KindBuild, Build: &Build{Query: s.Client.Redact(s.Query)}}
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
// build never joins a real one.
func (s BuildSpec) options() CreateOptions {
	sum := sha256.Sum256([]byte(s.Client.AnythingURL() + "\n" + strings.Join(strings.Fields(s.Query), " ")))
	return CreateOptions{JoinKey: hex.EncodeToString(sum[:]), Join: !s.ForceNew}
}

func (s RunSpec) options() CreateOptions { return CreateOptions{} }

// newID returns an ID that cannot be guessed: 130 random bits.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }
