package notte

import (
	"context"
	"net/http"
	"time"
)

// reachTimeout bounds [Client.Reach].
const reachTimeout = 15 * time.Second

// Answer is what a host said to [Client.Reach].
type Answer struct {
	Host   string
	Status string    // of HTTP, such as "404 Not Found"
	Date   time.Time // by the host's clock; zero if it did not say
}

// Reach asks for the base URL of an API, [AnythingAPI] or [FunctionsAPI], without a key.
// Whatever the answer is, the host can be reached.
func (c *Client) Reach(ctx context.Context, api string) (Answer, error) {
	k := call{op: "reach the " + api, method: http.MethodGet, endpoint: c.api}
	if api == AnythingAPI {
		k.endpoint = c.anything
	}
	within, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(within, k.method, k.endpoint.url.String(), nil)
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("User-Agent", c.userAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, c.noAnswer(ctx, k, err, false)
	}
	readSmallBody(resp.Body)
	date, _ := http.ParseTime(resp.Header.Get("Date"))
	return Answer{k.endpoint.url.Host, resp.Status, date}, nil
}
