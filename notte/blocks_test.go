package notte

import (
	"fmt"
	"strings"
	"testing"
)

// answerOf returns the answer of a build as jobs keeps it, the text since the last
// message_complete that text followed, and all of its thinking.
func answerOf(t *testing.T, stream string, size int) (answer, thinking string) {
	t.Helper()
	complete := false
	for ev, err := range testStream(pieces(stream, size)).Events() {
		switch ev.Type {
		case EventTextDelta:
			if complete {
				answer, complete = "", false
			}
			answer += ev.Delta
		case EventThinkingDelta:
			thinking += ev.Delta
		case EventMessageComplete:
			complete = true
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return answer, thinking
}

func TestAnswerIsTheTextOfTheLastStep(t *testing.T) {
	begin := func(id string) string { return `{"type":"text-start","id":"` + id + `"}` }
	close := func(id string) string { return `{"type":"text-end","id":"` + id + `"}` }
	const reset = `{"type":"reset-step"}`
	for _, tt := range []struct {
		name   string
		chunks []string
		want   string
	}{
		{"one block", []string{startStep, begin("1"), textOf("1", "a"), textOf("1", "b"), close("1"), finishStep}, "ab"},
		{"no borders at all", []string{textOf("1", "a"), textOf("1", "b")}, "ab"},
		{"two blocks", []string{startStep, begin("1"), textOf("1", "a"), close("1"), begin("2"), textOf("2", "b"), close("2"), finishStep}, "ab"},
		{"two steps", []string{startStep, textOf("1", "a"), finishStep, startStep, textOf("1", "b"), finishStep}, "b"},
		{"two steps without their ends", []string{startStep, textOf("1", "a"), startStep, textOf("1", "b")}, "b"},
		{"a last step without text", []string{startStep, textOf("1", "a"), finishStep, startStep, finishStep}, "a"},
		{"two messages", []string{textOf("1", "a"), finish, start, textOf("1", "b")}, "b"},
		{"interleaved", []string{begin("1"), begin("2"), textOf("2", "c"), textOf("1", "a"), textOf("2", "d"), textOf("1", "b"), close("1"), textOf("2", "e"), close("2")}, "abcde"},
		{"interleaved, the second ends first", []string{begin("1"), begin("2"), textOf("2", "c"), textOf("1", "a"), close("2"), textOf("1", "b"), close("1")}, "abc"},
		{"three, the second ends first", []string{begin("1"), begin("2"), begin("3"), textOf("3", "c"), textOf("2", "b"), close("2"), textOf("1", "a"), close("1"), textOf("3", "d"), close("3")}, "abcd"},
		{"interleaved without ends", []string{startStep, begin("1"), textOf("1", "a"), begin("2"), textOf("2", "c"), textOf("1", "b"), finishStep}, "abc"},
		{"interleaved to the end of the stream", []string{begin("1"), textOf("1", "a"), begin("2"), textOf("2", "c"), textOf("1", "b")}, "abc"},
		{"a block that begins again", []string{begin("1"), textOf("1", "a"), begin("1"), textOf("1", "b"), close("1")}, "ab"},
		{"a delta behind its end", []string{begin("1"), textOf("1", "a"), close("1"), textOf("1", "b")}, "ab"},
		{"an end without a start", []string{close("1"), textOf("1", "a")}, "a"},
		{"a step tried again", []string{startStep, textOf("1", "a"), finishStep, startStep, textOf("1", "x"), reset, textOf("1", "b"), finishStep}, "b"},
		{"a step tried again with a waiting block", []string{startStep, begin("1"), textOf("1", "x"), begin("2"), textOf("2", "y"), reset, begin("1"), textOf("1", "b"), close("1"), finishStep}, "b"},
		{"a step tried again without text", []string{startStep, textOf("1", "x"), reset, finishStep}, ""},
		{"a step tried again before its text", []string{startStep, textOf("1", "a"), finishStep, startStep, reset, finishStep}, "a"},
	} {
		for _, size := range []int{1, 1 << 20} {
			if got, _ := answerOf(t, chunks(append(tt.chunks, finish, end)...), size); got != tt.want {
				t.Errorf("%s, in pieces of %d: %q, want %q", tt.name, size, got, tt.want)
			}
		}
	}
}

func TestInterleavedReasoning(t *testing.T) {
	part := func(id, text string) string {
		return strings.Replace(textOf(id, text), "text", "reasoning", 1)
	}
	stream := chunks(`{"type":"reasoning-start","id":"1"}`, part("1", "a"), part("2", "c"), textOf("1", "x"), part("1", "b"), finish, end)
	if answer, thinking := answerOf(t, stream, 1<<20); answer != "x" || thinking != "abc" {
		t.Errorf("answer %q, thinking %q", answer, thinking)
	}
}

// TestWaitingTextIsBounded has blocks that never end keep others waiting.
func TestWaitingTextIsBounded(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for name, stream := range map[string]string{
		"one long block":   chunks(`{"type":"text-start","id":"first"}`) + strings.Repeat(chunks(textOf("1", long)), 1000),
		"many blocks":      chunks(`{"type":"text-start","id":"first"}`) + manyBlocks(1000, long),
		"many empty ones":  manyBlocks(10_000, ""),
		"long IDs of them": chunks(`{"type":"text-start","id":"first"}`) + chunks(textOf(strings.Repeat("y", 10<<20), long)),
	} {
		s := testStream(strings.NewReader(stream + chunks(end)))
		want, got := strings.Count(stream, long)*len(long), 0
		for ev, err := range s.Events() {
			if got += len(ev.Delta); err != nil {
				t.Fatal(err)
			}
			b := &s.decoder.turn.text
			held := 0
			for _, o := range b.open {
				held += len(o.text) + len(o.id)
			}
			if held > maxHeld+maxBlocks*maxLabel || len(b.open) > maxBlocks {
				t.Fatalf("%s: %d bytes wait in %d blocks", name, held, len(b.open))
			}
		}
		if got != want {
			t.Errorf("%s: %d bytes of %d", name, got, want)
		}
	}
}

func manyBlocks(n int, text string) string {
	var b strings.Builder
	for i := range n {
		id := fmt.Sprint(i)
		b.WriteString(chunks(`{"type":"text-start","id":"`+id+`"}`, textOf(id, text)))
	}
	return b.String()
}

// TestWaitingTextIsRedacted has a block that waits spell out the key over several
// deltas.
func TestWaitingTextIsRedacted(t *testing.T) {
	const key = "sk-4711-secret"
	s := testStream(strings.NewReader(chunks(`{"type":"text-start","id":"1"}`, textOf("2", key[:5]), textOf("1", "a "), textOf("2", key[5:]), finish, end)))
	s.client.redactor = APIKey(key).redactor()
	var all string
	for ev, err := range s.Events() {
		if all += ev.Delta; err != nil {
			t.Fatal(err)
		}
	}
	if all != "a [redacted]" {
		t.Errorf("%q", all)
	}
}
