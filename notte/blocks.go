package notte

import (
	"slices"
	"strings"

	"github.com/anything-mcp/anything-mcp/text"
)

const (
	maxBlocks = 64        // open at once
	maxHeld   = 256 << 10 // bytes of text that wait for an earlier block to end
)

// blocks puts the deltas of text blocks in order, because blocks may interleave.
// The deltas of the first open block become events at once. Those of a later block
// wait until all blocks before it have ended. Beyond maxBlocks or maxHeld nothing
// waits, and the order may be lost.
type blocks struct {
	typ  EventType // of the events
	open []block   // in the order in which they began
	held int       // bytes of text in open
}

type block struct {
	id    string
	text  []byte
	ended bool
}

// isFirst reports whether a delta of the block becomes an event at once. A delta may
// come without a start of its block.
func (b *blocks) isFirst(id string) bool {
	return len(b.open) == 0 || b.open[0].id == text.Prefix(id, maxLabel)
}

func (b *blocks) index(id string) int {
	id = text.Prefix(id, maxLabel)
	return slices.IndexFunc(b.open, func(o block) bool { return o.id == id && !o.ended })
}

// start opens a block. Its events are added to t.
func (b *blocks) start(t *turn, id string) {
	b.end(t, id)
	if len(b.open) == maxBlocks {
		b.release(t)
	}
	b.open = append(b.open, block{id: strings.Clone(text.Prefix(id, maxLabel))})
}

// add adds a delta to a block.
func (b *blocks) add(t *turn, id, delta string) {
	t.ending.goOn()
	if b.isFirst(id) {
		b.write(t, delta)
		return
	}
	i := b.index(id)
	if i < 0 {
		b.start(t, id)
		i = len(b.open) - 1
	}
	b.open[i].text = append(b.open[i].text, delta...)
	if b.held += len(delta); b.held > maxHeld {
		b.release(t)
	}
}

// end closes a block. If it was the first, the next one becomes the first.
func (b *blocks) end(t *turn, id string) {
	i := b.index(id)
	if i < 0 {
		return
	}
	b.open[i].ended = true
	for i == 0 && len(b.open) > 0 && b.open[0].ended {
		b.open = slices.Delete(b.open, 0, 1)
		if len(b.open) > 0 {
			b.writeHeld(t, &b.open[0])
		}
	}
}

// release adds the text of all blocks to t and forgets them.
func (b *blocks) release(t *turn) {
	for i := range b.open {
		b.writeHeld(t, &b.open[i])
	}
	b.drop()
}

// drop forgets all blocks and the text that waits in them.
func (b *blocks) drop() { b.open, b.held = nil, 0 }

// writeHeld adds the text that waits in o. It redacts the joined text, because an API
// key may be split over several deltas.
func (b *blocks) writeHeld(t *turn, o *block) {
	if len(o.text) > 0 {
		b.write(t, t.client.Redact(string(o.text)))
		b.held -= len(o.text)
		o.text = nil
	}
}

// write adds a delta to t.
func (b *blocks) write(t *turn, delta string) {
	t.add(Event{Type: b.typ, Delta: delta})
	t.spoke = t.spoke || b.typ == EventTextDelta
}
