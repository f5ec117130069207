// Echo on Go's net, a goroutine for each connection, as the documentation of net shows it:
//
//	echo [-host 127.0.0.1] [-port 0] [-path FILE] [-broadcast]
//
// What differs in the work: Go waits for nothing explicitly. A goroutine that would block is parked,
// and the runtime's own poller (epoll, edge-triggered) wakes it: so each connection costs a stack
// and a buffer of its own, here 64 KiB at most and 4 KiB until more is needed. GOMAXPROCS is 1, as
// all servers have one core. net sets TCP_NODELAY by itself.
//
// With -broadcast every client gets what one of them sends, after a greeting of one byte; the
// goroutine of the sender writes to all of them.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"runtime"
	"sync"
)

const (
	firstSize = 4 << 10
	readSize  = 64 << 10
)

// A client that sends much gets a larger buffer: 64 KiB for each of thousands would be waste.
func grown(buffer []byte, used int) []byte {
	if used < len(buffer) || len(buffer) == readSize {
		return buffer
	}
	return make([]byte, readSize)
}

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, firstSize)
	for {
		length, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:length]); err != nil {
			return
		}
		buffer = grown(buffer, length)
	}
}

type room struct {
	sync.Mutex
	clients map[net.Conn]bool
}

func (r *room) add(connection net.Conn) {
	r.Lock()
	defer r.Unlock()
	r.clients[connection] = true
	connection.Write([]byte("+"))
}

func (r *room) remove(connection net.Conn) {
	r.Lock()
	defer r.Unlock()
	delete(r.clients, connection)
	connection.Close()
}

func (r *room) send(bytes []byte) {
	r.Lock()
	defer r.Unlock()
	for client := range r.clients {
		client.Write(bytes)
	}
}

func (r *room) serve(connection net.Conn) {
	defer r.remove(connection)
	r.add(connection)
	buffer := make([]byte, firstSize)
	for {
		length, err := connection.Read(buffer)
		if err != nil {
			if err != io.EOF {
				log.Print(err)
			}
			return
		}
		r.send(buffer[:length])
	}
}

func listen(host string, port int, path string) net.Listener {
	network, address := "tcp", fmt.Sprintf("%s:%d", host, port)
	if path != "" {
		network, address = "unix", path
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func main() {
	host := flag.String("host", "127.0.0.1", "where to listen")
	port := flag.Int("port", 0, "0: the kernel chooses")
	path := flag.String("path", "", "a Unix socket instead")
	broadcast := flag.Bool("broadcast", false, "to everybody")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	serve := echo
	if *broadcast {
		serve = (&room{clients: map[net.Conn]bool{}}).serve
	}
	listener := listen(*host, *port, *path)
	fmt.Printf("listening on %s\n", listener.Addr())
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(connection)
	}
}
