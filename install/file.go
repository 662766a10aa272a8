package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile bounds the size of the files that are read, in bytes.
const maxFile = 64 << 20

// byteOrderMark may begin a file.
const byteOrderMark = "\ufeff"

// HasProject reports whether h has files within a project.
func (h *Host) HasProject() bool { return h.project != nil }

// HasURL reports whether the files of h can name a server that runs already.
func (h *Host) HasURL() bool { return h.http != nil }

// places returns where the file of h may be.
func (h *Host) places(env Env) []string {
	if env.Project == "" {
		return h.files(env)
	}
	var files []string
	for _, file := range h.project {
		files = append(files, filepath.Join(env.Project, filepath.FromSlash(file)))
	}
	return files
}

// read reads the file of h that has s, or else the one that should have it. It returns
// a plan, with File set, whatever its error is.
func (h *Host) read(env Env, s Server) (*Plan, error) {
	files := h.places(env)
	for _, file := range files {
		p := &Plan{Host: h, File: file, env: env}
		if p.load() == nil && p.doc.get(h.servers, s.Name) != nil {
			return p, nil
		}
	}
	i := slices.IndexFunc(files, exists)
	if i < 0 {
		i = slices.IndexFunc(files, func(file string) bool { return exists(filepath.Dir(file)) })
	}
	if i < 0 {
		i = len(files) - 1
	}
	p := &Plan{Host: h, File: files[i], env: env}
	return p, p.load()
}

// exists reports whether there is a file or a link at path. The link may be broken.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// load reads the file.
func (p *Plan) load() error {
	var err error
	if p.target, err = follow(p.File); err != nil {
		return err
	}
	raw, mode, err := readFile(p.target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.exists, p.mode = err == nil, mode
	p.before = string(raw)
	if rest, ok := strings.CutPrefix(p.before, byteOrderMark); ok {
		p.before, p.mark = rest, byteOrderMark
	}
	return p.parse(p.before)
}

// follow returns the path behind symbolic links. There need not be a file at that path.
func follow(file string) (string, error) {
	for range 40 { // as Linux does
		link, err := os.Readlink(file)
		if err != nil {
			return file, nil // no link, or nothing at all
		}
		if !filepath.IsAbs(link) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(file)) // what the link is relative to
			if err != nil {
				return "", err
			}
			link = filepath.Join(dir, link)
		}
		file = link
	}
	return "", errors.New("its symbolic links lead in a circle")
}

// writable checks that the file may be replaced.
func (p *Plan) writable() error {
	if p.exists && p.mode&0o200 == 0 {
		return errors.New("it is read-only: make it writable first")
	}
	return nil
}

// readFile reads a file and its mode. Its error is [fs.ErrNotExist] if there is
// none.
func readFile(file string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, 0o600, err
	case !info.Mode().IsRegular():
		return nil, 0, errors.New("it is not a regular file")
	case info.Size() > maxFile:
		return nil, 0, fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	raw, err := os.ReadFile(file)
	return raw, info.Mode().Perm(), err
}
