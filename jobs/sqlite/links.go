package sqlite

import (
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// linkPadding is how much comes before a viewer's link: a page of the database.
//
// A deleted row is overwritten, thanks to secure_delete. But a row that lies
// among others is moved between pages as the table grows, and what it leaves
// behind there is not. What does not fit into a page with others lies in pages
// of its own, is never moved, and is overwritten when it is deleted. The padding
// sees to it that this is the link.
const linkPadding = 4096

func pad(link string) []byte {
	return append(make([]byte, linkPadding, linkPadding+len(link)), link...)
}

func unpad(stored []byte) string { return string(stored[min(linkPadding, len(stored)):]) }

// putLink keeps a viewer's link of a running job: its own at 0, or that of an
// entry at the entry's Seq.
func (t *tx) putLink(id string, seq int64, link string) error {
	if link == "" {
		return nil
	}
	_, err := t.exec(`INSERT INTO links (job_id, seq, text) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET text = excluded.text WHERE text <> excluded.text`, id, seq, pad(link))
	return err
}

// putJobLink keeps the link that a running job has.
func (t *tx) putJobLink(job jobs.Job) error {
	if job.Build == nil {
		return nil
	}
	return t.putLink(job.ID, 0, job.Build.ViewerURL)
}

// takeLink keeps the link that an entry tells, and returns what remains of the
// entry's text.
func (t *tx) takeLink(id string, e jobs.Entry) (text string, err error) {
	if e.Type != notte.EventSessionData {
		return e.Text, nil
	}
	return "", t.putLink(id, e.Seq, e.Text)
}

// textSize is the size of what remains.
func textSize(e jobs.Entry) int {
	if e.Type == notte.EventSessionData {
		return 0
	}
	return len(e.Text)
}

// eraseLinks deletes all links of a job.
func (t *tx) eraseLinks(id string) error {
	n, err := t.exec("DELETE FROM links WHERE job_id = ?", id)
	t.stale = t.stale || n > 0
	return err
}
