package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// thread is a conversation of the v2 contract: builds, each of which continues the
// one before.
type thread struct {
	ID         string
	FunctionID string // of the function that it has made; empty: none yet
	Turns      int
	Turn       turn // the newest
}

// turn is one build of a thread. It is a timeline like a run: it goes on without
// a client, and its function is there for all who look after that time.
type turn struct {
	Query      string    // at most maxTurnQuery characters
	Upload     time.Time // when the function is uploaded; zero: never
	Ends       time.Time
	FunctionID string // of the function that the upload makes or changes
	Settled    bool   // whether the store has the upload
}

// maxTurnQuery bounds the query of a turn, in characters.
const maxTurnQuery = 4000

// due reports whether the store lacks an upload that was made before now.
func (t turn) due(now time.Time) bool {
	return !t.Settled && !t.Upload.IsZero() && !now.Before(t.Upload)
}

// upload returns the function as it is after the turn. old is the function
// before it, or nil.
func (t turn) upload(old *function) *function {
	work := newTask(t.Query)
	var f *function
	if old == nil {
		f = newFunction(work.function())
		f.ID, f.Created, f.Updated, f.SelfHealing = t.FunctionID, t.Upload, t.Upload, true
	} else {
		work.continueFrom(old)
		f = old.nextVersion(t.Upload)
		f.Variables = work.vars
		f.Description = clip(old.Description+"; "+work.query, maxDefault)
		if old.Run == nil { // else AddFunction has made it, with a result of its own
			made := work.function()
			f.Domain, f.Instructions, f.ResponseFormat = made.Domain, made.Instructions, made.ResponseFormat
		}
	}
	f.Broken = wants(t.Query, "broken")
	return f
}

// AddThread adds a thread that has no turn yet, unless there is one with this ID.
// Follow-ups change the function with functionID, or make one if it is empty.
func (s *Server) AddThread(id, functionID string) {
	s.store.change(func() {
		if _, ok := s.store.threads.get(id); !ok {
			s.store.threads.put(id, &thread{ID: id, FunctionID: functionID})
		}
	})
}

// startTurn starts a turn of a new thread, or of the one that in names.
func (s *Server) startTurn(in startRequest) (th *thread, b *story, refused *refusal) {
	s.store.change(func() {
		now := time.Now()
		next := thread{ID: in.threadID}
		if in.threadID == "" {
			next.ID = s.ids.uuid()
		} else if refused = s.store.refuseTurn(in.threadID, now); refused != nil {
			return
		} else {
			kept, _ := s.store.threads.get(in.threadID)
			next = *kept
		}
		query := clip(in.query, maxTurnQuery)
		old, _ := s.store.functions.get(next.FunctionID)
		b = newStory(query, old)
		next.Turns++
		next.Turn = s.newTurn(b, now)
		if !next.Turn.Upload.IsZero() {
			if next.Turn.FunctionID = next.FunctionID; old == nil {
				next.Turn.FunctionID = s.ids.uuid()
			}
		}
		th = &next
		s.store.threads.put(th.ID, th)
	})
	return th, b, refused
}

// newTurn returns the timeline of b, which starts at now.
func (s *Server) newTurn(b *story, now time.Time) turn {
	t := turn{Query: b.query, Ends: now}
	for _, next := range b.beats {
		t.Ends = t.Ends.Add(s.scaled(next.after))
		if next.kind == beatUpload {
			t.Upload = t.Ends
		}
	}
	return t
}

// refuseTurn returns why the thread takes no turn at now, or nil.
func (s *store) refuseTurn(id string, now time.Time) *refusal {
	th, ok := s.threads.get(id)
	switch {
	case !ok:
		return &refusal{http.StatusNotFound, "thread_not_found", "There is no thread with this ID"}
	case now.Before(th.Turn.Ends):
		return threadBusy()
	}
	return nil
}

func threadBusy() *refusal {
	return &refusal{http.StatusConflict, "thread_busy", "The thread is busy with another turn"}
}

// occupy makes the thread busy until the answer ends. The caller must hold the
// store's mutex.
func (st *Stream) occupy(id string) {
	s := &st.server.store
	if s.playing == nil {
		s.playing = make(map[string]int)
	}
	s.playing[id]++
	st.threads = append(st.threads, id)
}

// release ends what occupy began. An end of a stream calls it before it is sent,
// because a client that has read it may start the next turn at once.
func (st *Stream) release() {
	if len(st.threads) == 0 {
		return
	}
	s := &st.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range st.threads {
		if s.playing[id]--; s.playing[id] == 0 {
			delete(s.playing, id)
		}
	}
	st.threads = nil
}

// threadPage answers GET /threads/{thread}, the page that the answer to a
// detached build names, as text for people.
func (s *Server) threadPage(w http.ResponseWriter, r *http.Request) {
	var th *thread
	var f *function
	var ok bool
	s.store.view(func() {
		if th, ok = s.store.threads.get(r.PathValue("thread")); ok {
			f, _ = s.store.functions.get(th.FunctionID)
		}
	})
	if !ok {
		http.Error(w, "No such thread.", http.StatusNotFound)
		return
	}
	state := "idle"
	if time.Now().Before(th.Turn.Ends) {
		state = "at work"
		w.Header().Set("Refresh", "2")
	}
	function := "none yet"
	if f != nil {
		function = fmt.Sprintf("%s, %s, version %s", f.Name, f.ID, f.latest())
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	fmt.Fprintf(w, "Thread %s (simulated)\nState: %s\nTurns: %d\nLast request: %s\nFunction: %s\n",
		th.ID, state, th.Turns, strings.Join(strings.Fields(clip(th.Turn.Query, maxQuoted)), " "), function)
}
