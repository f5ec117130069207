// Echo over UDP on Go's net, one datagram at a time: the standard library has no batches.
//
//	udp [-host 127.0.0.1] [-port 0]
//
// What differs in the work: a system call for each datagram and direction, where recvmmsg and
// sendmmsg take many. The form with AddrPort allocates nothing. GOMAXPROCS is 1.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"runtime"
)

func main() {
	host := flag.String("host", "127.0.0.1", "where to listen")
	port := flag.Int("port", 0, "0: the kernel chooses")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(*host), Port: *port})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", socket.LocalAddr())
	buffer := make([]byte, 65536)
	for {
		length, sender, err := socket.ReadFromUDPAddrPort(buffer)
		if err != nil {
			log.Fatal(err)
		}
		socket.WriteToUDPAddrPort(buffer[:length], sender)
	}
}
