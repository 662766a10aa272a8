package tools

import (
	"fmt"
	"testing"
)

// What is remembered is bounded, and the newest is kept.
func TestWaitsAreBounded(t *testing.T) {
	var w waits
	for n := range 3 * maxLeft {
		for _, left := range []bool{false, true, true} {
			one := waiter{job: fmt.Sprint(n)}
			w.begin(one)(left)
		}
	}
	if len(w.left) != maxLeft || len(w.open) != 0 {
		t.Errorf("%d waits are remembered and %d are open, want %d and 0", len(w.left), len(w.open), maxLeft)
	}
	if !w.again(waiter{job: fmt.Sprint(3*maxLeft - 1)}) || w.again(waiter{job: "0"}) {
		t.Error("the newest waits are not those that are remembered")
	}
}
