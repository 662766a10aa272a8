package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/anything-mcp/anything-mcp/functions"
)

// itemList is the items of a batch as a file has them.
type itemList struct {
	items []json.RawMessage
	lines []int // where each begins, from 1
}

// stdin is the name of the file that is the standard input.
const stdin = "-"

// openItems opens a file with items.
func (p *program) openItems(name string) (io.ReadCloser, error) {
	switch name {
	case "":
		return nil, usageErrorf("say which items to run: --items FILE, with JSON lines or CSV; --items - reads stdin")
	case stdin:
		return io.NopCloser(p.env.Stdin), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, usageErrorf("the items cannot be read: %w", err)
	}
	return file, nil
}

// readItems reads items from JSON lines, or from CSV with the names of variables in its
// first line. It reads one more than most, so that too many are noticed.
func readItems(r io.Reader, variables []functions.Variable, most int) (itemList, error) {
	in := bufio.NewReader(r)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) { // as Windows writes it
		_, _ = in.Discard(len(mark))
	}
	for {
		first, err := in.Peek(1)
		switch {
		case errors.Is(err, io.EOF):
			return itemList{}, errors.New("there are no items in it")
		case err != nil:
			return itemList{}, err
		case first[0] == '{':
			return readLines(in, most)
		case first[0] != '\n' && first[0] != '\r' && first[0] != ' ':
			return readTable(in, variables, most)
		}
		_, _ = in.Discard(1)
	}
}

// maxItemLine bounds a line, in bytes. The item itself is bounded by
// [functions.MaxVariables].
const maxItemLine = 4 << 20

// readLines reads one JSON object from each line that is not blank.
func readLines(r io.Reader, most int) (list itemList, err error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxItemLine)
	line := 0
	for len(list.items) <= most && scanner.Scan() {
		line++
		item := bytes.TrimSpace(scanner.Bytes())
		switch {
		case len(item) == 0:
			continue
		case item[0] != '{' || !json.Valid(item):
			return list, fmt.Errorf("line %d is no JSON object", line)
		}
		list.items = append(list.items, json.RawMessage(bytes.Clone(item)))
		list.lines = append(list.lines, line)
	}
	if err := scanner.Err(); err != nil {
		return list, fmt.Errorf("line %d: %w", line+1, err)
	}
	return list, nil
}

// readTable reads one item from each row of CSV. The cells become values of the types that
// the variables have.
func readTable(r io.Reader, variables []functions.Variable, most int) (list itemList, err error) {
	rows := csv.NewReader(r)
	names, err := rows.Read()
	if err != nil {
		return list, err
	}
	columns, err := tableColumns(names, variables)
	if err != nil {
		return list, err
	}
	for len(list.items) <= most {
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return list, err
		}
		item := make(map[string]json.RawMessage)
		for i, cell := range cells {
			if value, ok := columns[i].FromText(cell); ok {
				item[columns[i].Name] = value
			}
		}
		raw, err := json.Marshal(item)
		if err != nil {
			return list, err
		}
		line, _ := rows.FieldPos(0)
		list.items, list.lines = append(list.items, raw), append(list.lines, line)
	}
	if list.items == nil {
		return list, errors.New("there are no items below its first line")
	}
	return list, nil
}

// tableColumns returns the variable of each column. One that is not known takes text.
func tableColumns(names []string, variables []functions.Variable) ([]functions.Variable, error) {
	columns := make([]functions.Variable, len(names))
	seen := make(map[string]bool)
	for i, name := range names {
		name = strings.TrimSpace(name)
		if name == "" || seen[name] {
			return nil, fmt.Errorf("its first line must name the variable of each column, each once: column %d is %.60q", i+1, name)
		}
		seen[name] = true
		columns[i] = functions.Variable{Name: name, Type: functions.String}
		for _, v := range variables {
			if v.Name == name {
				columns[i] = v
			}
		}
	}
	return columns, nil
}

// explain names the lines of items that do not fit.
func (l itemList) explain(err error) error {
	wrong, ok := errors.AsType[*functions.ItemsError](err)
	if !ok {
		return err
	}
	return usageErrorf("%s. Nothing was started", wrong.Describe(func(index int) string { return fmt.Sprintf("line %d", l.lines[index]) }))
}
