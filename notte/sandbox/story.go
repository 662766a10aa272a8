package sandbox

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// story is one simulated build as a list of beats. Both contracts write the same
// story; v1.go and v2.go have their words.
type story struct {
	query string
	task  task
	old   *function // the function that the build changes; nil: it makes one
	beats []beat
}

// beat is one step of a story.
type beat struct {
	after time.Duration // pause before it, at speed 1
	kind  string
	text  string // delta, status or result
	name  string // of a tool
	input string // of a tool
	note  string // line for the viewer's page; empty: none
}

// Kinds of beats.
const (
	beatStart     = "start" // v2 only
	beatStatus    = "status"
	beatThinking  = "thinking" // a delta
	beatText      = "text"     // a delta
	beatViewer    = "viewer"   // the viewer's page can be opened
	beatTool      = "tool"     // a tool is called
	beatResult    = "result"   // the tool has returned
	beatMessage   = "message"  // the end of a message
	beatUpload    = "function_uploaded"
	beatFlaw      = "flaw" // an error that does not end the build; v2 only
	beatError     = "error"
	beatTimeout   = "timeout"
	beatCancelled = "cancelled"
	beatCut       = "cut"
	beatDone      = "done"
)

// wants reports whether query has the word that asks for this ending.
func wants(query, ending string) bool { return strings.Contains(query, "[sandbox:"+ending+"]") }

// newStory returns the story of a build of query, which changes old unless it is
// nil.
func newStory(query string, old *function) *story {
	b := &story{query: query, task: newTask(query), old: old, beats: []beat{{kind: beatStart}}}
	if old != nil {
		b.task.continueFrom(old)
	}
	b.prepare()
	b.explore()
	if wants(query, "error") {
		b.end(beatError, "The simulated page could not be read.")
	} else {
		b.build()
	}
	if wants(query, "slow") {
		for i := range b.beats {
			b.beats[i].after *= 20
		}
	}
	return b
}

// prepare starts the simulated browser session.
func (b *story) prepare() {
	b.status("starting")
	wish := "The user wants to “" + clip(b.task.query, maxQuoted) + "”. "
	if b.old != nil {
		wish = "The user wants to change the function " + b.task.name + ": “" + clip(b.task.query, maxQuoted) + "”. "
	}
	b.deltas(beatThinking, wish+"First I look at the page itself.")
	b.add(beat{after: 200 * time.Millisecond, kind: beatViewer})
	b.status("running")
}

// explore reads the simulated page.
func (b *story) explore() {
	b.tool("browser_goto", b.task.site, "Opened "+b.task.site+" (simulated).")
	b.tool("browser_observe", "what is on the page", "A list of entries, each with a title and a link (simulated).")
	b.deltas(beatThinking, "The entries repeat one pattern, so one extraction step will do.")
	b.tool("browser_scrape", "titles and links", `[{"title": "Sample entry 1"}, {"title": "Sample entry 2"}]`)
	if wants(b.query, "error") {
		return
	}
	if b.old == nil {
		b.deltas(beatText, "The page is simple enough. I am writing a function for it now. ")
	} else {
		b.deltas(beatText, "The function needs one change. I am writing it now. ")
	}
	b.add(beat{after: 50 * time.Millisecond, kind: beatMessage})
}

// build writes and uploads the function, and ends the story.
func (b *story) build() {
	b.status("building")
	b.tool("write_function", b.task.name+".py", "Wrote "+b.task.name+".py.")
	if wants(b.query, "lateerror") {
		b.add(beat{after: 50 * time.Millisecond, kind: beatFlaw, text: "A simulated tool failed, and the agent went on."})
	}
	if !wants(b.query, "nofunction") {
		b.tool("test_function", "one trial run", "The trial run returned sample data (simulated).")
		b.add(beat{after: 400 * time.Millisecond, kind: beatUpload, name: "upload_function", input: b.task.name + ".py", note: b.task.name})
	}
	switch {
	case wants(b.query, "timeout"):
		b.end(beatTimeout, "The simulated agent ran out of time.")
	case wants(b.query, "cancelled"):
		b.end(beatCancelled, "user_cancelled")
	case wants(b.query, "cut"), wants(b.query, "midchunk"):
		b.add(beat{kind: beatCut, note: "the stream ends without a terminal event"})
	default:
		b.deltas(beatText, b.answer())
		b.add(beat{after: 50 * time.Millisecond, kind: beatMessage})
		b.end(beatDone, "")
	}
}

func (b *story) answer() string {
	if wants(b.query, "nofunction") {
		return "Done, without a function: there was nothing here to run again. All of this is simulated."
	}
	names := make([]string, len(b.task.vars))
	for i, v := range b.task.vars {
		names[i] = v.Name
	}
	done := "Done: "
	if b.old != nil {
		done = "Done, as a new version: "
	}
	return fmt.Sprintf("%sthe function %s takes %s and can be run again at any time. All of this is simulated: no web page was read.",
		done, b.task.name, strings.Join(names, " and "))
}

func (b *story) add(next beat) { b.beats = append(b.beats, next) }

func (b *story) status(status string) {
	b.add(beat{after: 150 * time.Millisecond, kind: beatStatus, text: status, note: status})
}

func (b *story) tool(name, input, result string) {
	b.add(beat{after: 200 * time.Millisecond, kind: beatTool, name: name, input: input, note: name + ": " + input})
	b.add(beat{after: 450 * time.Millisecond, kind: beatResult, text: result})
}

func (b *story) end(kind, text string) {
	note := text
	if note == "" {
		note = "the build has ended"
	}
	b.add(beat{after: 200 * time.Millisecond, kind: kind, text: text, note: note})
}

// deltas adds text as beats of this kind.
func (b *story) deltas(kind, text string) {
	note := text
	for delta := range splitDeltas(text) {
		b.add(beat{after: 50 * time.Millisecond, kind: kind, text: delta, note: note})
		note = ""
	}
}

// splitDeltas splits text after every third space, like the deltas of a model.
func splitDeltas(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		spaces, start := 0, 0
		for i, r := range text {
			if r != ' ' {
				continue
			}
			if spaces++; spaces%3 == 0 {
				if !yield(text[start : i+1]) {
					return
				}
				start = i + 1
			}
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}

// play writes the story to st: write writes one beat. left says how the session
// ends if the client leaves.
func (b *story) play(st *Stream, v *session, left string, write func(beat) error) error {
	s := st.server
	for _, next := range b.beats {
		err := s.pause(st.ctx, next.after)
		if err == nil {
			if next.note != "" {
				s.note(v, next.kind, next.note)
			}
			err = write(next)
		}
		if err != nil {
			s.closeSession(v, left)
			return err
		}
	}
	how := "finished"
	if b.beats[len(b.beats)-1].kind == beatCut {
		how = "cut off"
	}
	s.closeSession(v, how)
	return nil
}
