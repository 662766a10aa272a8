package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Where the function of a [Build] is known from.
const (
	FromStream      = "stream"             // the build's stream named it, and Notte confirmed it
	FromUnconfirmed = "stream_unconfirmed" // the build's stream named it, and Notte could not be asked
	FromCatalogue   = "catalogue"          // it appeared in the catalogue, and no other build can have made it
)

// Bounds of the search for the function that a build has made.
const (
	findPatience  = 30 * time.Second // after the end of a stream
	findFirst     = time.Second      // then twice as long each time, up to:
	findLongest   = time.Minute
	findRequest   = 10 * time.Second // for one request and its repetitions
	maxSightings  = 50               // functions that a stream names
	findPages     = 10
	findPage      = 100           // functions
	maxCandidates = 5             // returned
	maxBuildTime  = 2 * time.Hour // no build takes longer
	claimedJobs   = 1000          // of each kind that are read
)

// sourceAnything is what Notte calls the source of functions that builds make.
const sourceAnything = "anything"

// finder finds the function that a build has made: among those that its stream
// names, each confirmed by Notte, or else in the catalogue. One goroutine uses it.
type finder struct {
	m         *Manager
	r         *record
	sightings []sighting // in the order in which the stream named them last
}

// sighting is a function that a stream named, and what is known of it.
type sighting struct {
	id, name, from string
	refused        bool // it is another build's, or not ours
	missing        bool // Notte has no such function, or not yet
}

// see records a function that a v2 stream named, and adds it to the build if Notte
// confirms it.
func (f *finder) see(ctx context.Context, ev notte.Event) {
	s := sighting{id: ev.FunctionID, name: ev.FunctionName, from: ev.FunctionFrom}
	if i := slices.IndexFunc(f.sightings, func(old sighting) bool { return old.id == s.id }); i >= 0 {
		s = f.sightings[i]
		if s.from == notte.FunctionFromTool {
			s.from = ev.FunctionFrom
		}
		setNonEmpty(&s.name, ev.FunctionName)
		f.sightings = slices.Delete(f.sightings, i, i+1)
	} else if len(f.sightings) == maxSightings {
		return
	}
	if !s.refused {
		f.confirm(ctx, &s)
	}
	f.sightings = append(f.sightings, s)
}

// confirm asks Notte for a function that the stream named. If it is the build's,
// confirm adds it to the build and returns true.
func (f *finder) confirm(ctx context.Context, s *sighting) bool {
	ctx, done := context.WithTimeout(ctx, findRequest)
	defer done()
	function, err := f.r.client.GetFunction(ctx, s.id)
	if err != nil {
		s.missing = notte.IsNotFound(err)
		return false
	}
	s.missing = false
	job := f.r.latest()
	claimed, err := f.m.claimed(ctx, job)
	if err != nil {
		return false
	}
	if s.refused = !made(job, function, claimed); s.refused {
		return false
	}
	setNonEmpty(&s.name, function.Name)
	f.announce(function, s.name, FromStream)
	return true
}

// made reports whether a build can have made or changed a function: it is the
// account's own, no other build has made it, and it was created since the
// build began or, in a follow-up, changed since then.
func made(job Job, f notte.Function, claimed map[string]bool) bool {
	b := job.Build
	if f.Shared {
		return false
	}
	if b.updates(f.ID) {
		return b.Before.changed(f)
	}
	from, _ := job.ranAtNotte()
	return !claimed[f.ID] && f.CreatedAt.After(from)
}

// Clocks may differ by this much.
const (
	notteSlack = 5 * time.Second // those of Notte's services
	localSlack = 2 * time.Minute // Notte's and ours, if Notte did not send its own
)

// ranAtNotte returns the longest time, by Notte's clock, in which a build may have run
// until now or its end.
func (j Job) ranAtNotte() (from, to time.Time) {
	from, to, slack := j.StartedAt, time.Now(), localSlack
	if j.State.Ended() {
		to = j.EndedAt
	}
	if there := j.Build.StartedAtNotte; !there.IsZero() {
		from, to, slack = there, to.Add(there.Sub(from)), notteSlack
	}
	return from.Add(-slack), to.Add(slack)
}

// FunctionState is what was known of a function at one time.
type FunctionState struct {
	FunctionID string    `json:"function_id"`
	Version    string    `json:"version,omitempty"`
	UpdatedAt  time.Time `json:"updated_at,omitzero"`
}

// changed reports whether f is known to differ from what it was.
func (s *FunctionState) changed(f notte.Function) bool {
	return s.Version != "" && f.LatestVersion != s.Version || !s.UpdatedAt.IsZero() && !f.UpdatedAt.Equal(s.UpdatedAt)
}

// announce adds the function to the build, unless the build has it already.
func (f *finder) announce(function notte.Function, name, from string) {
	b := f.r.latest().Build
	if b.FunctionID == function.ID && b.FunctionName == name && b.FunctionVersion == function.LatestVersion && b.FunctionFrom == from {
		return
	}
	f.r.apply(notte.Event{
		Type: notte.EventFunctionUploaded, FunctionID: function.ID, FunctionName: name,
		FunctionVersion: function.LatestVersion, FunctionFrom: from,
	})
}

// find looks for the build's function until it is found, patience has run out or ctx
// ends, and reports whether it was found for certain. When patience has run out, it
// adds what is only likely: as unconfirmed, a function that Notte could not be asked
// about, if the stream named it in data or metadata; as candidates, the functions that
// may be the build's.
func (f *finder) find(ctx context.Context, patience time.Duration) bool {
	deadline := time.Now().Add(patience)
	var candidates []notte.Function
	for wait := findFirst; ; wait = min(2*wait, findLongest) {
		if b := f.r.latest().Build; b.FunctionID != "" {
			return b.FunctionFrom != FromUnconfirmed
		}
		for i := range slices.Backward(f.sightings) {
			if s := &f.sightings[i]; !s.refused && f.confirm(ctx, s) {
				return true
			}
		}
		found, others, err := f.lookInCatalogue(ctx)
		switch {
		case err != nil:
		case found != nil:
			f.announce(*found, found.Name, FromCatalogue)
			return true
		default:
			candidates = others
		}
		left := time.Until(deadline)
		if left <= 0 {
			f.giveUp(candidates)
			return false
		}
		select {
		case <-time.After(min(wait, left)):
		case <-ctx.Done():
			return false
		}
	}
}

// giveUp adds what is known of a function that was not found for certain.
func (f *finder) giveUp(candidates []notte.Function) {
	for _, s := range slices.Backward(f.sightings) {
		if !s.refused && !s.missing && s.from != notte.FunctionFromTool {
			f.announce(notte.Function{ID: s.id}, s.name, FromUnconfirmed)
			return
		}
	}
	f.r.update(func(j *Job) {
		j.Build.Candidates = nil
		for _, c := range candidates[:min(maxCandidates, len(candidates))] {
			j.Build.Candidates = append(j.Build.Candidates, Candidate{clip(c.ID), clip(c.Name), c.CreatedAt})
		}
	})
}

// lookInCatalogue returns the one function that the build has made, if no other
// build can have made it, or else those that it may have made.
func (f *finder) lookInCatalogue(ctx context.Context) (found *notte.Function, candidates []notte.Function, err error) {
	ctx, done := context.WithTimeout(ctx, 3*findRequest)
	defer done()
	job := f.r.latest()
	if before := job.Build.Before; before != nil && before.FunctionID != "" {
		function, err := f.r.client.GetFunction(ctx, before.FunctionID)
		if err == nil && before.changed(function) {
			return &function, nil, nil
		}
	}
	candidates, err = f.m.candidates(ctx, f.r.client, job)
	if err != nil || len(candidates) != 1 || candidates[0].Source != sourceAnything {
		return nil, candidates, err
	}
	rivals, err := f.m.rivals(ctx, job, candidates[0])
	if err != nil || rivals {
		return nil, candidates, err
	}
	return &candidates[0], nil, nil
}

// rivals reports whether another build of the owner's can have made a function
// too: one that ran when it was created, and whose function is not known.
func (m *Manager) rivals(ctx context.Context, job Job, f notte.Function) (bool, error) {
	builds, err := m.buildsBeside(ctx, job)
	return slices.ContainsFunc(builds, func(other Job) bool {
		from, to := other.ranAtNotte()
		return other.Build.Started && other.Build.FunctionID == "" && from.Before(f.CreatedAt) && to.After(f.CreatedAt)
	}), err
}

// buildsBeside returns the owner's other builds that may have run while a build did, or
// later.
func (m *Manager) buildsBeside(ctx context.Context, job Job) ([]Job, error) {
	list, err := m.List(ctx, Query{Owner: job.Owner, Kind: KindBuild, Since: job.StartedAt.Add(-maxBuildTime), Limit: claimedJobs})
	return slices.DeleteFunc(list, func(other Job) bool { return other.ID == job.ID }), err
}

// Candidates returns functions that a build whose outcome is unknown may have made,
// newest first: those created at Notte while it may have run, apart from those of
// the owner's other builds. It starts nothing. For other jobs it returns none.
func (m *Manager) Candidates(ctx context.Context, client *notte.Client, job Job) ([]notte.Function, error) {
	if !job.OutcomeUnknown() || job.Build.FunctionID != "" || !job.Build.Started {
		return nil, nil
	}
	found, err := m.candidates(ctx, client, job)
	return found[:min(maxCandidates, len(found))], err
}

// candidates returns the functions that a build may have made, newest first.
func (m *Manager) candidates(ctx context.Context, client *notte.Client, job Job) ([]notte.Function, error) {
	claimed, err := m.claimed(ctx, job)
	if err != nil {
		return nil, err
	}
	var found []notte.Function
	for page := 1; page <= findPages; page++ {
		list, err := client.ListFunctions(ctx, page, findPage)
		if err != nil {
			return nil, err
		}
		for _, f := range list.Items {
			if f.ID != "" && made(job, f, claimed) && f.CreatedAt.Before(job.StartedAt.Add(maxBuildTime)) {
				found = append(found, f)
			}
		}
		if !list.HasNext {
			break
		}
	}
	slices.SortStableFunc(found, func(a, b notte.Function) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return found, nil
}

// claimed returns the functions that are accounted for: made by another build of
// the owner's, or run before this one began.
func (m *Manager) claimed(ctx context.Context, job Job) (map[string]bool, error) {
	builds, err := m.buildsBeside(ctx, job)
	if err != nil {
		return nil, err
	}
	runs, err := m.List(ctx, Query{
		Owner: job.Owner, Kind: KindRun, Before: Cursor{StartedAt: job.StartedAt, ID: job.ID}, Limit: claimedJobs,
	})
	ids := make(map[string]bool)
	for _, other := range append(builds, runs...) {
		ids[other.FunctionID()] = true
	}
	return ids, err
}
