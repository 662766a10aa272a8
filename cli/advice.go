package cli

// advice returns what the user can set to avoid an error, or "".
func advice(error) string { return "" }
