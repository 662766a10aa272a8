// The port in a host: to come.
