// Answers probes as CoreDNS does, and no question.
package main

import "net/http"

func main() {
	fine := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	go http.ListenAndServe(":8181", fine) // readiness
	panic(http.ListenAndServe(":8080", fine))
}
