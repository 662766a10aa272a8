package sandbox

import "strings"

// Option configures a Server.
type Option func(*Server)

// API is a contract of the Anything API.
type API string

// The contracts. V2 is the one of the service since August 2026.
const (
	V1 API = "v1" // events of the published page
	V2 API = "v2" // an AI SDK UI message stream, with threads and detached builds

	defaultAPI = V2
)

// WithAPI sets the contract of the Anything API, V1 or V2. Without it that is V2.
// It panics if api is neither.
func WithAPI(api API) Option {
	if api != V1 && api != V2 {
		panic("sandbox: unknown API " + string(api))
	}
	return func(s *Server) { s.api = api }
}

// WithSpeed sets the pace of the demo. At 1, the default, a build takes about 6
// seconds and a run 2; at 10 both are ten times as fast; at 0 or less nothing
// pauses. Scripted delays are not scaled.
func WithSpeed(factor float64) Option {
	return func(s *Server) { s.speed = factor }
}

// WithKey makes key the only API key that is accepted. Without it any non-empty
// bearer token is accepted, because the demo has no accounts.
func WithKey(key string) Option {
	return func(s *Server) { s.key = key }
}

// WithBaseURL sets the address at which a browser reaches the Server, for
// example "http://127.0.0.1:8809". Viewer URLs begin with it. Without it they
// begin with the host of the request.
func WithBaseURL(url string) Option {
	return func(s *Server) { s.baseURL = strings.TrimRight(url, "/") }
}

// WithSeed draws IDs and viewer tokens from a generator with this seed, so that
// each process draws the same ones in the same order. Without it they come from
// crypto/rand, as they must when several processes share a file.
func WithSeed(seed uint64) Option {
	return func(s *Server) { s.ids.seed(seed) }
}

// WithRateLimit has the Server take n requests a minute and answer more with 429.
// Without it, the headers count down from 1,000, and no request is refused.
func WithRateLimit(n int) Option {
	return func(s *Server) { s.quota.limit, s.quota.refuses = n, true }
}

// WithExamples has the account begin with six functions, one of which fails. With
// [WithFile] those that were deleted stay deleted.
func WithExamples() Option {
	return func(s *Server) { s.store.examples = exampleFunctions() }
}
