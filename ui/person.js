// The port in a person's browser: see ui.go for what the server answers.
