package install

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// lockTime is how long a host may hold its lock. After that the lock is a leftover.
const lockTime = 5 * time.Second

// maxBackups bounds the copies that are kept of a file.
const maxBackups = 10

// noFile ends the name of the copy that stands for a file which did not exist.
const noFile = "-none"

// takenOut ends the name of a copy that was made before the server was taken out.
const takenOut = "-out"

// Apply makes the change. It returns the path of a copy of the old file, or "" if none
// is kept: there was nothing in the file, or it is again what it was before the first
// change. The file is replaced as a whole, and only if it is still the one that was
// read. Its error is a [FileError].
func (p *Plan) Apply() (backup string, err error) {
	if len(p.Changes) == 0 {
		return "", nil
	}
	unlock, err := p.lockFile()
	if err == nil {
		defer unlock()
		if !p.restored {
			backup, err = p.backUp()
		}
		if err == nil {
			err = p.replace()
		}
	}
	switch {
	case err != nil:
		os.Remove(backup) // of a change that was not made
		return "", &FileError{p.File, "", err}
	case p.restored:
		for _, file := range p.backups() {
			os.Remove(file) // the file is what the oldest is, and others may hold a key
		}
	}
	if p.before == "" {
		return "", nil
	}
	return backup, nil
}

// lockFile takes the lock that the host takes before it writes the file, so that
// neither loses what the other writes.
func (p *Plan) lockFile() (unlock func(), err error) {
	if p.Host.lock == "" || !p.exists || p.env.Project != "" {
		return func() {}, nil
	}
	lock := p.target + p.Host.lock
	for end := time.Now().Add(lockTime); ; time.Sleep(10 * time.Millisecond) {
		err := os.Mkdir(lock, 0o700)
		if err == nil {
			return func() { os.Remove(lock) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if time.Now().After(end) {
			return func() {}, nil
		}
	}
}

// replace writes the new text beside the file and puts it in the file's place.
func (p *Plan) replace() error {
	if p.gone {
		if err := p.unchanged(); err != nil {
			return err
		}
		return os.Remove(p.target)
	}
	if err := os.MkdirAll(filepath.Dir(p.target), 0o700); err != nil {
		return err
	}
	temporary, err := p.writeBeside()
	if err != nil {
		return err
	}
	defer os.Remove(temporary) // after a rename there is none
	if err := p.unchanged(); err != nil {
		return err
	}
	return os.Rename(temporary, p.target)
}

// writeBeside writes the new text to a file in the folder of the file, with its mode and
// owner.
func (p *Plan) writeBeside() (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(p.target), "."+filepath.Base(p.target)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(p.mark + p.after)
	err = cmp.Or(err, f.Chmod(p.mode), f.Sync(), f.Close())
	if err == nil && p.exists {
		err = keepOwner(p.target, f.Name())
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return f.Name(), err
}

// unchanged checks that the file is the one that was read.
func (p *Plan) unchanged() error {
	raw, _, err := readFile(p.target)
	if errors.Is(err, fs.ErrNotExist) && !p.exists {
		return nil
	}
	if err == nil && (!p.exists || string(raw) != p.mark+p.before) {
		err = errors.New("another program has just changed it: try again")
	}
	return err
}

// backUp keeps a copy of the file. The name of the copy says which file it is of, when
// it was made, and what the new text is.
func (p *Plan) backUp() (string, error) {
	if err := os.MkdirAll(p.env.Backups, 0o700); err != nil {
		return "", err
	}
	name := p.Host.Name + p.fileMark() + time.Now().UTC().Format("20060102T150405.000000000Z") + "-" + digest(p.mark+p.after)
	switch {
	case !p.exists:
		name += noFile
	case p.erased:
		name += takenOut
	}
	old := p.backups()
	for _, file := range old[:max(len(old)-maxBackups+1, 0)] {
		os.Remove(file)
	}
	file := filepath.Join(p.env.Backups, name)
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(p.mark + p.before)
	return file, cmp.Or(err, f.Close())
}

// fileMark is in the names of all copies of the file, after the host's name: hosts may
// share a file.
func (p *Plan) fileMark() string { return "-" + digest(p.target)[:8] + "-" }

// backups returns the copies of the file, the oldest first.
func (p *Plan) backups() []string {
	entries, _ := os.ReadDir(p.env.Backups)
	var files []string
	for _, e := range entries {
		if strings.Contains(e.Name(), p.fileMark()) {
			files = append(files, filepath.Join(p.env.Backups, e.Name()))
		}
	}
	made := func(file string) string {
		_, made, _ := strings.Cut(filepath.Base(file), p.fileMark())
		return made
	}
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(made(a), made(b)) })
	return files
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// restore makes the new text the one before the server was installed, if nothing else
// has changed the file since. Otherwise it removes the object around the server if that
// was made for the server and is empty.
func (p *Plan) restore(server string) error {
	text := p.mark + p.before
	for _, file := range slices.Backward(p.backups()) {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		content := strings.TrimPrefix(string(raw), byteOrderMark)
		stem, none := strings.CutSuffix(file, noFile)
		exact := strings.HasSuffix(stem, digest(text))
		if exact {
			text = string(raw)
		}
		old := &Plan{Host: p.Host}
		if old.parse(content) != nil || old.doc.get(p.Host.servers, server) != nil {
			continue // it was installed then, too
		}
		if exact {
			p.after, p.gone, p.restored = content, none, true
			return nil
		}
		return p.tidy(old)
	}
	return nil
}

// tidy removes the containers of the server that are empty and that the old text does
// not have.
func (p *Plan) tidy(old *Plan) error {
	for _, name := range []string{p.Host.servers, p.Host.prompts} {
		v := p.doc.get(name)
		if v == nil || old.doc.get(name) != nil || encode(v) != "{}" && encode(v) != "[]" {
			continue
		}
		if err := p.parse(p.doc.remove(name)); err != nil {
			return err
		}
	}
	return nil
}
