// Command hello prints one line. It shows how long any Go program takes to start.
package main

import "fmt"

func main() { fmt.Println("hello") }
