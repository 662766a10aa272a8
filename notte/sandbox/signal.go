package sandbox

// signal wakes goroutines that wait for a change. Its owner's mutex guards it.
// The first waiter makes the channel, so a change without a waiter costs
// nothing.
type signal struct {
	ch chan struct{}
}

// wait returns a channel that the next wake closes.
func (s *signal) wait() <-chan struct{} {
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

// wake closes the channel of those who wait now.
func (s *signal) wake() {
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
