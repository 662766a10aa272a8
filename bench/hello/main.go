// Command hello prints one line: what starting a Go program takes at least.
package main

import "fmt"

func main() { fmt.Println("hello") }
