package sandbox

// signal wakes those who wait for a change. Its owner's mutex guards it. The
// channel is made for the first waiter, so a change that nobody waits for costs
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

func (s *signal) wake() {
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
