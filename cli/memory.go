package cli

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// memoryEvery is how often the memory of a server is checked.
	memoryEvery = time.Second

	// burst is how many bytes are allocated between two checks during a burst of
	// calls, at least.
	burst = 1 << 20
)

// returnMemory returns unused memory to the system after each burst of calls, until
// ctx ends. A burst leaves garbage and free memory. Go returns it slowly, and most
// calls are quiet for minutes after their first second.
func returnMemory(ctx context.Context) {
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	var last, returned uint64 // bytes allocated until the last check, and until memory was returned last
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		metrics.Read(allocated)
		now := allocated[0].Value.Uint64()
		if now-last < burst && now-returned > 4*burst {
			debug.FreeOSMemory()
			returned = now
		}
		last = now
	}
}

// inBackground starts work and returns a function that ends work and waits for it.
func inBackground(ctx context.Context, work func(context.Context)) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { work(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}
