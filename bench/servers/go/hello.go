// Hello over HTTP on Go's net/http:
//
//	hello [-host 127.0.0.1] [-port 0]
//
// What differs in the work: a whole HTTP server for production, with a goroutine and two buffers for
// each connection, a map of header fields for each request, and a Date in each answer. HTTP/1.1
// over TCP without TLS. GOMAXPROCS is 1, as all servers have one core.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
)

func main() {
	host := flag.String("host", "127.0.0.1", "where to listen")
	port := flag.Int("port", 0, "0: the kernel chooses")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", *host, *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	http.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, "Hello")
	})
	log.Fatal(http.Serve(listener, nil))
}
