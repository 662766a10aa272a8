package keys

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/godbus/dbus/v5"
)

// notRunning are the errors of a bus for a program that does not run.
var notRunning = []string{"org.freedesktop.DBus.Error.NameHasNoOwner", "org.freedesktop.DBus.Error.ServiceUnknown"}

// errLocked is the error of what can be read only after a window has asked the user.
var errLocked = errors.New("it is locked: unlock it, or keep the key with anything-mcp login")

// onBus calls ask with a connection to the session's message bus, which ends with ctx.
// No call over it starts a program.
func (p Places) onBus(ctx context.Context, ask func(*dbus.Conn) (string, error)) (string, error) {
	conn, err := dbus.Connect(p.bus(), dbus.WithContext(ctx))
	if err != nil && ctx.Err() == nil {
		return "", fs.ErrNotExist // the keyring is asked over the same bus, and has told it
	}
	value := ""
	if err == nil {
		defer conn.Close()
		value, err = ask(conn)
	}
	if reply, ok := errors.AsType[dbus.Error](err); ok && slices.Contains(notRunning, reply.Name) {
		return "", fs.ErrNotExist
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return value, err
}

// call calls a method of an object, and stores what it returns.
func call(object dbus.BusObject, method string, args []any, results ...any) error {
	return object.Call(method, dbus.FlagNoAutoStart, args...).Store(results...)
}

// property returns a property of an object.
func property(object dbus.BusObject, of, name string) (any, error) {
	var value dbus.Variant
	err := call(object, "org.freedesktop.DBus.Properties.Get", []any{of, name}, &value)
	return value.Value(), err
}

// The interfaces of the Secret Service.
const (
	secretService    = "org.freedesktop.Secret.Service"
	secretCollection = "org.freedesktop.Secret.Collection"
	secretItem       = "org.freedesktop.Secret.Item"
)

// collectionPath is where the Secret Service has the collection of Notte's command line:
// a path has no dashes.
const collectionPath = "/org/freedesktop/secrets/collection/notte_2dcli"

// askSecretService asks the Secret Service for the key. It unlocks nothing, because that
// shows a window.
func (p Places) askSecretService(ctx context.Context) (string, error) {
	return p.onBus(ctx, func(conn *dbus.Conn) (string, error) {
		object := func(path dbus.ObjectPath) dbus.BusObject { return conn.Object("org.freedesktop.secrets", path) }
		service := object("/org/freedesktop/secrets")
		paths, err := property(service, secretService, "Collections")
		if collections, _ := paths.([]dbus.ObjectPath); err != nil || !slices.Contains(collections, collectionPath) {
			return "", err
		}
		for _, name := range p.notteEntries() {
			var items []dbus.ObjectPath
			if err := call(object(collectionPath), secretCollection+".SearchItems", []any{map[string]string{"profile": name}}, &items); err != nil {
				return "", err
			}
			if len(items) > 0 {
				return readItem(service, object(items[0]))
			}
		}
		return "", nil
	})
}

func readItem(service, item dbus.BusObject) (string, error) {
	locked, err := property(item, secretItem, "Locked")
	if err != nil {
		return "", err
	}
	if locked != false {
		return "", errLocked
	}
	var output dbus.Variant
	var session dbus.ObjectPath
	if err := call(service, secretService+".OpenSession", []any{"plain", dbus.MakeVariant("")}, &output, &session); err != nil {
		return "", err
	}
	var secret struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}
	if err := call(item, secretItem+".GetSecret", []any{session}, &secret); err != nil {
		return "", err
	}
	return keyOfItem(secret.Value)
}

// walletApp is the name that Notte's command line has for KWallet, and that of the folder
// with its entries.
const walletApp = "keyring"

// askKWallet asks KWallet for the key, if the wallet is open: to open it shows a window.
func (p Places) askKWallet(ctx context.Context) (string, error) {
	return p.onBus(ctx, func(conn *dbus.Conn) (string, error) {
		kwallet := conn.Object("org.kde.kwalletd5", "/modules/kwalletd5")
		var wallets []string
		if err := call(kwallet, "org.kde.KWallet.wallets", nil, &wallets); err != nil || !slices.Contains(wallets, notteRing) {
			return "", err
		}
		var open bool
		if err := call(kwallet, "org.kde.KWallet.isOpen", []any{notteRing}, &open); err != nil {
			return "", err
		}
		if !open {
			return "", errLocked
		}
		var handle int32
		if err := call(kwallet, "org.kde.KWallet.open", []any{notteRing, int64(0), walletApp}, &handle); err != nil {
			return "", err
		}
		for _, name := range p.notteEntries() {
			var raw []byte
			if err := call(kwallet, "org.kde.KWallet.readEntry", []any{handle, walletApp, name, walletApp}, &raw); err != nil {
				return "", err
			}
			if len(raw) > 0 {
				return keyOfItem(raw)
			}
		}
		return "", nil
	})
}
