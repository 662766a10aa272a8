package progress

import "time"

// Update is what a call tells its client.
type Update struct {
	Message string // one line of at most [MaxMessage] characters

	// Done of Total parts of the job are done. Without a Total, updates are numbered
	// from 1 in the place of Done.
	Done, Total float64
}

// count is how many parts of a job have ended.
type count struct {
	ended, total int
	updates      int // since ended has changed
}

// ObserveCount records how many parts of a job have ended, of how many, and the line
// that says so.
func (p *Pacer) ObserveCount(ended, total int, line string) {
	if ended > p.count.ended {
		p.count.ended, p.count.updates = ended, 0
	}
	p.count.total = total
	if line != p.lastStep {
		p.step, p.lastStep = line, line
	}
}

// Update returns a line as an update with a value that rises each time: while k more
// updates come before the next part ends, they fill the room up to it. It must be called
// once for each line that is sent.
func (p *Pacer) Update(line string) Update {
	c := &p.count
	if c.total == 0 {
		return Update{Message: line}
	}
	k := float64(c.updates)
	c.updates++
	return Update{line, float64(c.ended) + k/(k+1), float64(c.total)}
}

// complete reports whether the last update has told that all parts have ended: none may
// follow, because its value could not be higher.
func (p *Pacer) complete() bool {
	return p.count.total > 0 && p.count.ended == p.count.total && p.count.updates > 0
}

// never is longer than any wait.
const never = 1000 * time.Hour
