package jobs

import (
	"testing"
	"time"
)

// A refusal halves how many may run, and each run that is taken on restores one.
func TestBound(t *testing.T) {
	b, now := newBound(), time.Now()
	batch := new(record)
	b.join(batch, 8)
	room := func() (n int) {
		for {
			if ok, _, _ := b.enter(now); !ok {
				return n
			}
			n++
		}
	}
	if n := room(); n != 8 {
		t.Fatalf("%d may run, want 8", n)
	}
	for range 2 {
		b.refuse(now, 20*time.Second, true)
		b.exit(false)
	}
	if ok, _, pause := b.enter(now); ok || pause != 20*time.Second {
		t.Errorf("after a refusal one may start: %v, or after %v", ok, pause)
	}
	now = now.Add(20 * time.Second)
	if n := room(); n != 0 {
		t.Errorf("%d more may run while 6 do, want none above 2", n)
	}
	for range 6 {
		b.exit(true)
	}
	if n := room(); n != 8 {
		t.Errorf("%d may run after 6 successes, want 2+6", n)
	}
	b.exit(false)
	b.refuse(now, 0, false)
	if ok, _, pause := b.enter(now); ok || pause != time.Second {
		t.Errorf("without a Retry-After one may start: %v, or after %v", ok, pause)
	}
	b.refuse(now, 0, false)
	if _, _, pause := b.enter(now); pause != 2*time.Second {
		t.Errorf("after the second refusal the pause is %v", pause)
	}
	b.leave(batch)
	if b.most = MaxConcurrency; b.limit() != MaxConcurrency {
		t.Errorf("without batches the limit is %d", b.limit())
	}
}
