package cli

import (
	"strings"

	"github.com/anything-mcp/anything-mcp/notte"
)

// The variables that many programs share, for errors.
const proxyVariables = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY"

// proxies returns the proxies that the environment names. Names in lower case count
// as well, after those in upper case.
func (e environment) proxies() notte.Proxies {
	_, except := e.firstOf("NO_PROXY")
	return notte.Proxies{HTTP: e.proxy("HTTP_PROXY"), HTTPS: e.proxy("HTTPS_PROXY"), Except: except}
}

func (e environment) proxy(name string) notte.ProxySetting {
	name, url := e.firstOf(name, "ALL_PROXY")
	return notte.ProxySetting{Name: name, URL: url}
}

// firstOf returns the first of the variables that is set, under its name in upper or
// lower case.
func (e environment) firstOf(names ...string) (name, value string) {
	for _, upper := range names {
		for _, name := range []string{upper, strings.ToLower(upper)} {
			if value := e[name]; value != "" {
				return name, value
			}
		}
	}
	return "", ""
}

// trustAuthority returns how a user makes this computer trust the authority of a
// certificate. macOS and Windows verify certificates themselves, without variables.
func trustAuthority(goos string) string {
	switch goos {
	case "darwin":
		return "add the certificate of its authority to the System keychain and trust it there"
	case "windows":
		return "add the certificate of its authority to the Trusted Root Certification Authorities"
	}
	return "set SSL_CERT_FILE to a PEM file with the certificate of its authority"
}

// settingNames returns what the settings of the client are called in errors.
func (p *program) settingNames(goos string) notte.SettingNames {
	return notte.SettingNames{
		Key:            keyVariable,
		APIURL:         p.source("api-url"),
		AnythingURL:    p.source("anything-url"),
		Proxies:        proxyVariables,
		TrustAuthority: trustAuthority(goos),
	}
}
