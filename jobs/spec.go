package jobs

import (
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
	job() Job           // what is recorded before anything starts
	claim() Claim       // how it may be joined
	work(*task) outcome // does it, under the task's context
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
	// Whoever puts the key into a query has Notte read it, and nobody else.
	return Job{ID: newID("build_"), Kind: KindBuild, Build: &Build{Query: s.Client.Redact(s.Query)}}
}

func (s RunSpec) job() Job {
	var variables json.RawMessage
	if s.Variables != nil {
		variables = json.RawMessage(s.Client.Redact(string(s.Variables)))
	}
	return Job{ID: newID("run_"), Kind: KindRun, Run: &Run{FunctionID: s.FunctionID, Variables: variables}}
}

func (s BuildSpec) claim() Claim {
	// The same words with other spacing ask for the same thing; of another
	// service, a sandbox for one, they ask for another.
	sum := sha256.Sum256([]byte(s.Client.AnythingURL() + "\n" + strings.Join(strings.Fields(s.Query), " ")))
	return Claim{JoinKey: hex.EncodeToString(sum[:]), Join: !s.ForceNew}
}

func (s RunSpec) claim() Claim { return Claim{} }

// newID returns an ID that cannot be guessed: 130 random bits.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }
