package keys

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/zalando/go-keyring"
)

// bus is a message bus. It answers the call of a member of an object with a list of
// values, or with the name of an error. What it does not know, no program answers; nil is
// never answered.
type bus map[string]any

// serve makes the bus that of the user, until the test ends.
func (b bus) serve(t *testing.T, p *Places) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p.GOOS, p.Vars = "linux", map[string]string{"DBUS_SESSION_BUS_ADDRESS": "unix:path=" + socket}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go b.answer(conn)
		}
	}()
}

// answer answers on a connection until it ends.
func (b bus) answer(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for line := ""; line != "BEGIN"; { // as the specification of D-Bus has the log-in
		text, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch line = strings.Trim(text, "\x00\r\n"); {
		case line == "AUTH":
			io.WriteString(conn, "REJECTED EXTERNAL\r\n")
		case strings.HasPrefix(line, "AUTH EXTERNAL"):
			io.WriteString(conn, "OK 0123456789abcdef0123456789abcdef\r\n")
		case line != "BEGIN":
			io.WriteString(conn, "ERROR\r\n")
		}
	}
	for {
		call, err := dbus.DecodeMessage(r)
		if err != nil {
			return
		}
		if reply := b.reply(call); reply != nil && reply.EncodeTo(conn, binary.LittleEndian) != nil {
			return
		}
	}
}

func (b bus) reply(call *dbus.Message) *dbus.Message {
	reply := &dbus.Message{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(call.Serial()),
	}}
	member, _ := call.Headers[dbus.FieldMember].Value().(string)
	path, _ := call.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	answer, known := b[fmt.Sprint(path, " ", member, call.Body)]
	switch answer := answer.(type) {
	case []any:
		reply.Body = answer
	case string:
		reply.Type = dbus.TypeError
		reply.Headers[dbus.FieldErrorName] = dbus.MakeVariant(answer)
	default:
		if known {
			return nil
		}
		reply.Type = dbus.TypeError
		reply.Headers[dbus.FieldErrorName] = dbus.MakeVariant("org.freedesktop.DBus.Error.NameHasNoOwner")
		if member == "Hello" {
			reply.Type, reply.Body = dbus.TypeMethodReply, []any{":1.1"}
		}
	}
	if len(reply.Body) > 0 {
		reply.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(reply.Body...))
	}
	return reply
}

// item is the item in which Notte's command line keeps a key.
const item = `{"Key":"api_key:prod","Data":"b2YtdGhlLWJ1cw==","Label":""}`

const (
	collections = "/org/freedesktop/secrets Get[org.freedesktop.Secret.Service Collections]"
	search      = collectionPath + " SearchItems[map[profile:api_key:prod]]"
	searchOld   = collectionPath + " SearchItems[map[profile:api_key]]"
	isLocked    = "/item Get[org.freedesktop.Secret.Item Locked]"
	getSecret   = "/item GetSecret[/session]"

	wallets   = "/modules/kwalletd5 wallets[]"
	isOpen    = "/modules/kwalletd5 isOpen[notte-cli]"
	readEntry = "/modules/kwalletd5 readEntry[7 keyring api_key:prod keyring]"
	readOld   = "/modules/kwalletd5 readEntry[7 keyring api_key keyring]"
)

// withSecrets is a bus with a Secret Service that has the key.
func withSecrets() bus {
	type secret struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}
	return bus{
		collections: []any{dbus.MakeVariant([]dbus.ObjectPath{"/org/freedesktop/secrets/collection/login", collectionPath})},
		search:      []any{[]dbus.ObjectPath{"/item"}},
		isLocked:    []any{dbus.MakeVariant(false)},
		"/org/freedesktop/secrets OpenSession[plain \"\"]": []any{dbus.MakeVariant(""), dbus.ObjectPath("/session")},
		getSecret: []any{secret{"/session", nil, []byte(item), "application/json"}},
	}
}

// kwallet is a bus with a KWallet that has the key.
func kwallet() bus {
	return bus{
		wallets: []any{[]string{"kdewallet", "notte-cli"}},
		isOpen:  []any{true},
		"/modules/kwalletd5 open[notte-cli 0 keyring]": []any{int32(7)},
		readEntry: []any{[]byte(item)},
	}
}

// TestNotteBus asks each of the programs, whatever state it is in. Only what is answered
// here is ever called, so nothing is unlocked.
func TestNotteBus(t *testing.T) {
	none, nobody, failed := []any{[]dbus.ObjectPath{}}, "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.Failed"
	for _, tt := range []struct {
		name    string
		of      bus
		changes bus
		want    string
		problem string
	}{
		{"nobody", nil, nil, "", ""},
		{"in the Secret Service", withSecrets(), nil, "Secret Service", ""},
		{"under the old name", withSecrets(), bus{search: none, searchOld: []any{[]dbus.ObjectPath{"/item"}}}, "Secret Service", ""},
		{"not in the Secret Service", withSecrets(), bus{search: none, searchOld: none}, "", ""},
		{"no collection", withSecrets(), bus{collections: []any{dbus.MakeVariant([]dbus.ObjectPath{})}}, "", ""},
		{"locked", withSecrets(), bus{isLocked: []any{dbus.MakeVariant(true)}}, "", "Secret Service could not be read: it is locked"},
		{"it cannot be read", withSecrets(), bus{getSecret: failed}, "", failed},
		{"in KWallet", kwallet(), nil, "KWallet", ""},
		{"in KWallet under the old name", kwallet(), bus{readEntry: []any{[]byte{}}, readOld: []any{[]byte(item)}}, "KWallet", ""},
		{"in no wallet", kwallet(), bus{wallets: []any{[]string{}}}, "", ""},
		{"the wallet is closed", kwallet(), bus{isOpen: []any{false}}, "", "KWallet could not be read: it is locked"},
		{"no KWallet", kwallet(), bus{wallets: nobody}, "", ""},
		{"nonsense", kwallet(), bus{readEntry: []any{[]byte("{")}}, "", "not a key that Notte's command line has written"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := places(t)
			tt.of.with(tt.changes).serve(t, &p)
			var key Key
			var problems []string
			for _, from := range p.nottePrograms() {
				value, err := from.read(t.Context())
				if value != "" {
					key = Key{value, from.name}
				}
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					problems = append(problems, from.name+" could not be read: "+err.Error())
				}
			}
			if (key.Value == "of-the-bus") != (tt.want != "") || !strings.HasSuffix(key.Place, tt.want) {
				t.Errorf("%+v, want one of %q", key, tt.want)
			}
			if got := strings.Join(problems, "; "); !strings.Contains(got, tt.problem) || (got == "") != (tt.problem == "") {
				t.Errorf("problems: %s", got)
			}
		})
	}
}

// TestKeyringThatDoesNotRun is not asked, which would start it, unless it has our key.
func TestKeyringThatDoesNotRun(t *testing.T) {
	const alias = secretsPath + " ReadAlias[default]"
	login := []any{dbus.MakeVariant([]dbus.ObjectPath{secretsPath + "/collection/login"})}
	none := []any{dbus.MakeVariant([]dbus.ObjectPath{})}
	for _, tt := range []struct {
		name string
		of   bus
		kept bool
		want bool
	}{
		{"it does not run", bus{}, false, false},
		{"it does not run and has the key", bus{}, true, true},
		{"it runs", bus{collections: login, alias: []any{dbus.ObjectPath("/")}}, false, true},
		{"it runs under another name", bus{collections: none, alias: []any{dbus.ObjectPath("/other")}}, false, true},
		{"it runs and is empty", bus{collections: none, alias: []any{dbus.ObjectPath("/")}}, false, false},
		{"it fails", bus{collections: "org.freedesktop.DBus.Error.AccessDenied"}, false, true},
	} {
		p := places(t)
		tt.of.serve(t, &p)
		if tt.kept {
			write(t, p.keptMark(), "")
		}
		if got := p.mayAsk(t.Context()); got != tt.want {
			t.Errorf("%s: it is asked: %v", tt.name, got)
		}
	}
}

// TestKeptMark is there while the keyring has the key.
func TestKeptMark(t *testing.T) {
	keyring.MockInit()
	p := places(t)
	bus{}.serve(t, &p)
	for _, step := range []func() error{
		func() error { _, why, err := p.Save(t.Context(), "first"); return errors.Join(why, err) },
		func() error { _, err := p.Delete(t.Context()); return err },
	} {
		err := step()
		_, marked := os.Stat(p.keptMark())
		key, _ := p.Find(t.Context())
		if err != nil || (marked == nil) != (key.Value == "first") {
			t.Errorf("%v, %v, %+v", err, marked, key)
		}
	}
}

// TestSilentBus gives up a program that never answers.
func TestSilentBus(t *testing.T) {
	p := places(t)
	withSecrets().with(bus{getSecret: nil}).serve(t, &p)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errSlow)
	defer cancel()
	if key, err := p.askSecretService(ctx); key != "" || err != errSlow {
		t.Errorf("%q, %v", key, err)
	}
}

func (b bus) with(changes bus) bus {
	all := make(bus)
	maps.Copy(all, b)
	maps.Copy(all, changes)
	return all
}
