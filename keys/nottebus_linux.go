package keys

import (
	"context"
	"errors"
	"slices"

	"github.com/godbus/dbus/v5"
)

// errLocked is the error of what can be read only after a window has asked the user.
var errLocked = errors.New("it is locked: unlock it, or keep the key with anything-mcp login")

// collectionPath is where the Secret Service has the collection of Notte's command line:
// a path has no dashes.
const collectionPath = secretsPath + "/collection/notte_2dcli"

// askSecretService asks the Secret Service for the key. It unlocks nothing, because that
// shows a window.
func (p Places) askSecretService(ctx context.Context) (string, error) {
	return p.onBus(ctx, func(conn *dbus.Conn) (string, error) {
		object := func(path dbus.ObjectPath) dbus.BusObject { return conn.Object(secrets, path) }
		service := object(secretsPath)
		collections, err := collectionsOf(service)
		if err != nil || !slices.Contains(collections, collectionPath) {
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
