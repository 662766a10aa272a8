// The page: to come.
