package sandbox

import (
	"fmt"
	"time"
)

// exampleFunctions returns the functions that the demo begins with. Their IDs and
// times are fixed, so that all processes have the same ones.
func exampleFunctions() []*function {
	text := func(name string) Variable { return Variable{Name: name, Type: "str"} }
	defaults := func(name, annotation, source string) Variable { return Variable{name, annotation, new(source)} }
	all := []Function{{
		Name: "hacker-news-top-posts", Domain: "news.ycombinator.com", SelfHealing: true,
		Description: "Fetches the top posts of Hacker News with their titles, links and points.",
		Variables:   []Variable{defaults("count", "int", "3")},
	}, {
		Name: "product-price", Domain: "shop.example.com", SelfHealing: true,
		Description: "Reads the price and the availability of a product from its page.",
		Variables:   []Variable{text("url"), defaults("currency", "Literal['EUR', 'USD', 'GBP']", "'EUR'")},
	}, {
		Name: "weather-forecast", Domain: "weather.example.com",
		Description: "Returns the weather forecast of a city, day by day.",
		Variables:   []Variable{text("city"), defaults("days", "int", "3"), defaults("imperial", "bool", "False")},
	}, {
		Name: "job-openings", Domain: "jobs.example.com", SelfHealing: true,
		Description: "Lists the open positions of a role, if wanted at one place only.",
		Variables:   []Variable{text("role"), defaults("location", "str | None", "None")},
	}, {
		Name: "monthly-invoices", Domain: "billing.example.com", RequiredSecrets: []string{"PORTAL_PASSWORD"},
		Description: "Signs in to the billing portal and lists the invoices of a month.",
		Variables:   []Variable{text("month")},
	}, {
		Name: "stock-levels", Domain: "warehouse.example.com",
		Description: "Reads the stock levels of a warehouse. It fails, because the simulated page has changed.",
		Variables:   []Variable{defaults("warehouse", "str", "'north'")},
	}}
	examples := make([]*function, len(all))
	for i, f := range all {
		f.ID = fmt.Sprintf("5a0db0c5-0000-4000-8000-%012d", i+1)
		f.Created = time.Date(2026, 1, 5+i, 9, 30, 0, 0, time.UTC)
		f.Source, f.ResponseFormat = "anything", sampleFormat(f.Variables)
		f.Instructions = "Simulated by the sandbox. It opens https://" + f.Domain + "/ and returns one item for each entry."
		examples[i] = newFunction(f)
		examples[i].Updated = f.Created
	}
	examples[4].Schedule = &schedule{Cron: "0 6 1 * *", Variables: map[string]any{"month": "last"}}
	examples[5].Broken = true
	return examples
}
