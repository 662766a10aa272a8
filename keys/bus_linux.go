package keys

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/godbus/dbus/v5"
)

// The names of the Secret Service: of itself, its first object and its interfaces.
const (
	secrets     = "org.freedesktop.secrets"
	secretsPath = "/org/freedesktop/secrets"

	secretService    = "org.freedesktop.Secret.Service"
	secretCollection = "org.freedesktop.Secret.Collection"
	secretItem       = "org.freedesktop.Secret.Item"
)

// notRunning are the errors of a bus for a program that does not run.
var notRunning = []string{"org.freedesktop.DBus.Error.NameHasNoOwner", "org.freedesktop.DBus.Error.ServiceUnknown"}

// onBus calls ask with a connection to the session's message bus, which ends with ctx.
// No call over it starts a program.
func (p Places) onBus(ctx context.Context, ask func(*dbus.Conn) (string, error)) (string, error) {
	conn, err := dbus.Connect(p.bus(), dbus.WithContext(ctx))
	if err != nil && ctx.Err() == nil {
		return "", fs.ErrNotExist
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

// collectionsOf returns the collections of the Secret Service.
func collectionsOf(service dbus.BusObject) ([]dbus.ObjectPath, error) {
	paths, err := property(service, secretService, "Collections")
	collections, _ := paths.([]dbus.ObjectPath)
	return collections, err
}

// mayHaveKey reports whether the keyring runs and has a place for our key, so that asking
// it starts no program. The library knows two such places.
func (p Places) mayHaveKey(ctx context.Context) bool {
	has := false
	_, err := p.onBus(ctx, func(conn *dbus.Conn) (string, error) {
		service := conn.Object(secrets, secretsPath)
		collections, err := collectionsOf(service)
		if err != nil {
			return "", err
		}
		var byDefault dbus.ObjectPath
		err = call(service, secretService+".ReadAlias", []any{"default"}, &byDefault)
		has = slices.Contains(collections, secretsPath+"/collection/login") || err == nil && byDefault != "/"
		return "", err
	})
	return has || err != nil && !errors.Is(err, fs.ErrNotExist) // the library says what is wrong
}
