package cli

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// memoryEvery is how often the memory of a server is looked at.
	memoryEvery = time.Second

	// burst is how much is allocated between two looks while there is one, in
	// bytes.
	burst = 1 << 20
)

// returnMemory returns unused memory to the system whenever a burst of calls is
// over, until ctx ends. A burst leaves garbage and free memory, which Go returns
// slowly, and most calls are quiet for minutes after their first second.
func returnMemory(ctx context.Context) {
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	var last, returned uint64 // allocated until the last look, and until memory was returned
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

// inBackground starts work and returns a function that ends it and waits for that.
func inBackground(ctx context.Context, work func(context.Context)) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { work(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}
