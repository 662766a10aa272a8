package notte

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/anything-mcp/anything-mcp/text"
)

// maxWhy bounds the reason that a turn keeps, in bytes.
const maxWhy = 4 << 10

// ending is how the build ends as far as the chunks "finish", "abort" and "error" have
// said. More chunks may follow each of them.
type ending struct {
	told     bool      // one of them came, and the agent has done nothing since
	finished bool      // there was a finish, and nothing has begun since
	reason   string    // the last finishReason since then
	bad      EventType // error or cancelled, whichever came first
	why      string    // its text
}

// begin records that the agent begins a message or a step, so the build has not
// ended.
func (e *ending) begin() { e.told, e.finished, e.reason = false, false, "" }

// goOn records that the agent works, so an error before was not the end.
func (e *ending) goOn() {
	if e.bad == EventError && !e.finished {
		e.told = false
	}
}

// over reports whether the build is over. After an error it is not, because the agent
// may try again.
func (e *ending) over() bool { return e.finished || e.told && e.bad == EventCancelled }

func (t *turn) finish(f fields) {
	t.metadata(f)
	t.completeMessage()
	e := &t.ending
	e.told, e.finished = true, true
	e.reason = cmp.Or(text.Clip(f.text("finishReason"), maxLabel), e.reason)
	if e.reason == "error" {
		e.fail(EventError, "")
	}
}

func (t *turn) abort(f fields) {
	t.completeMessage()
	t.ending.fail(EventCancelled, f.readable("reason"))
}

// fail reads an error. The stream is read on, because a function may still come.
func (t *turn) fail(f fields) {
	parts := appendUnique(nil, f.readable("errorText", "error", "message"))
	why := strings.Join(appendUnique(parts, f.readable("detail")), ": ")
	if why != "" {
		t.tell("error: " + text.OneLine(why, maxLabel))
	}
	t.ending.fail(EventError, why)
}

func (e *ending) fail(bad EventType, why string) {
	e.told = true
	e.bad = cmp.Or(e.bad, bad)
	if e.bad == bad && e.why == "" {
		e.why = text.Clip(why, maxWhy)
	}
}

// timedOut matches a reason that says that something took too long.
var timedOut = regexp.MustCompile(`(?i)tim(e|ed)[ _-]?out|time limit|deadline exceeded|max(imum)?[ _-]duration`)

// end returns the terminal event of a build whose stream has ended, or false if the
// stream did not report an outcome.
func (t *turn) end() (Event, bool) {
	e := t.ending
	if !e.told && !t.closed || t.interrupted() {
		return Event{}, false
	}
	ev := Event{Type: cmp.Or(e.bad, EventDone), TotalCostUSD: t.cost, ThreadID: t.threadID}
	switch {
	case e.bad != "" && timedOut.MatchString(e.why):
		ev.Type, ev.Reason = EventTimeout, e.why
	case e.bad == EventError:
		ev.Error = cmp.Or(e.why, "Notte says that the build failed, but not why")
	case e.bad == EventCancelled:
		ev.Reason = e.why
	default:
		ev.Warning = e.warning()
	}
	return ev, true
}

// interrupted reports whether Notte said that the build was interrupted. Then its
// outcome is not known.
func (t *turn) interrupted() bool { return t.ending.bad == "" && t.ending.reason == "interrupted" }

// warning returns what is doubtful about a build that did not fail, or "".
func (e ending) warning() string {
	switch e.reason {
	case "stop":
		return ""
	case "length":
		return "the model reached its length limit, so the work may be incomplete"
	case "content-filter":
		return "a content filter stopped the model, so the work may be incomplete"
	case "tool-calls":
		return "the model stopped at a call of a tool, so the work may be incomplete"
	case "":
		if e.finished {
			return ""
		}
		return "the stream ended without saying that the build was finished"
	}
	return "the model stopped for the reason “" + text.OneLine(e.reason, 40) + "”, so the work may be incomplete"
}
