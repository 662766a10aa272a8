package notte

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
)

// obstacle returns why there was no answer, and what the user can check.
func (e *Error) obstacle() string {
	check := "check " + e.names.url(e.API) + " and the network"
	if e.Sent {
		if isTimeout(e.Err) {
			return fmt.Sprintf("%s took the request but did not answer in time (%s)%s", e.Host, e.Message, e.tryAgain("; ", "later"))
		}
		return fmt.Sprintf("the connection to %s broke before the answer came (%s); %s.", e.Host, e.Message, check)
	}
	if why := e.proxyObstacle(); why != "" {
		return why
	}
	if dns, ok := errors.AsType[*net.DNSError](e.Err); ok {
		if dns.IsNotFound {
			return fmt.Sprintf("the name %s does not resolve to an address; %s.", dns.Name, check)
		}
		return fmt.Sprintf("the name %s could not be looked up (%s); %s.", dns.Name, e.Message, check)
	}
	switch {
	case isRefused(e.Err):
		return fmt.Sprintf("%s refused the connection, so nothing is listening there; %s.", e.Host, check)
	case isUntrusted(e.Err):
		return fmt.Sprintf("no secure connection to %s could be made, because this computer does not trust the certificate (%s). If it is the certificate of a proxy, a virus scanner or your company, and you trust it, %s; otherwise %s.",
			e.Host, e.Message, e.names.withDefaults().TrustAuthority, check)
	case isTLS(e.Err):
		return fmt.Sprintf("no secure connection to %s could be made (%s); %s, and this computer's clock and certificates.", e.Host, e.Message, check)
	case isTimeout(e.Err):
		return fmt.Sprintf("%s could not be reached in time (%s); %s.", e.Host, e.Message, check)
	}
	return fmt.Sprintf("%s could not be reached (%s); %s.", e.Host, e.Message, check)
}

// noAnswer returns the error of a request that Notte did not answer. If ctx has
// ended, that is an error with ctx's cause.
func (c *Client) noAnswer(ctx context.Context, k call, err error, sent bool) error {
	if ctx.Err() != nil {
		return fmt.Errorf("could not %s: stopped before Notte answered: %w", k.op, context.Cause(ctx))
	}
	// url.Error adds the method and the whole URL. Op and Host say enough.
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	e := c.newError(k)
	e.Sent, e.Err, e.Message = sent, err, c.message(err.Error())
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		e.Message = c.message(dns.Err)
	}
	return e
}

// newError returns an Error about k.
func (c *Client) newError(k call) *Error {
	return &Error{
		Op: k.op, API: k.endpoint.api, Host: k.endpoint.url.Host,
		proxy: c.proxyOf(k.endpoint.url), billable: k.billable, thread: k.thread, names: c.names,
	}
}

// Two errors of Windows, by the numbers that it gives them. There, syscall has
// other numbers under the names ETIMEDOUT and ECONNREFUSED, which Windows never
// returns. Other systems have no errors with these numbers.
const (
	wsaTimedOut = syscall.Errno(10060)
	wsaRefused  = syscall.Errno(10061)
)

func isRefused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, wsaRefused)
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, wsaTimedOut)
}

// isUntrusted reports whether err is about a certificate whose authority this
// computer does not know.
func isUntrusted(err error) bool {
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	return ok
}

// isTLS reports whether err is a TLS handshake that failed, on our side or the
// other.
func isTLS(err error) bool {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	op, ok := errors.AsType[*net.OpError](err)
	alert := ok && (op.Op == "remote error" || op.Op == "local error") // the type of an alert is not exported
	return certificate || record || alert || errors.Is(err, http.ErrSchemeMismatch)
}
