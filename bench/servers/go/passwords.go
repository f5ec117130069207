// The site of passwords on Go's own net/http, two ways:
//
//	passwords [-host 127.0.0.1] [-port 0] [-goroutines]
//
// With -goroutines each password is made by a goroutine of its own and passed through a channel, a
// hundred for each request, as in the program that examples/passwords.ts answers. Without, the
// handler makes one after the other, as that example does. Random numbers come from crypto/rand either
// way, many at a time, and every character is as likely as any other. GOMAXPROCS is 1, as all servers
// have one core.
package main

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
)

const (
	characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#@$"
	count      = 100
	length     = 12
	limit      = 1<<16 - 1<<16%len(characters)
)

// A reader that several goroutines may not share: each takes one of its own for a while.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(rand.Reader, 64*1024) }}

func password(random *bufio.Reader) string {
	var made [length]byte
	for i := 0; i < length; {
		pair, err := random.Peek(2)
		if err != nil {
			log.Fatal(err)
		}
		number := int(binary.LittleEndian.Uint16(pair))
		random.Discard(2)
		if number < limit {
			made[i] = characters[number%len(characters)]
			i++
		}
	}
	return string(made[:])
}

func plain() []string {
	random := readers.Get().(*bufio.Reader)
	defer readers.Put(random)
	made := make([]string, count)
	for i := range made {
		made[i] = password(random)
	}
	return made
}

func concurrent() []string {
	channel := make(chan string, count)
	for i := 0; i < count; i++ {
		go func() {
			random := readers.Get().(*bufio.Reader)
			defer readers.Put(random)
			channel <- password(random)
		}()
	}
	made := make([]string, count)
	for i := range made {
		made[i] = <-channel
	}
	return made
}

func main() {
	host := flag.String("host", "127.0.0.1", "where to listen")
	port := flag.Int("port", 0, "0: the kernel chooses")
	goroutines := flag.Bool("goroutines", false, "a goroutine for each password")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	passwords := plain
	if *goroutines {
		passwords = concurrent
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", *host, *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	http.HandleFunc("/password", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprint(w, "["+strings.Join(passwords(), " ")+"]")
	})
	log.Fatal(http.Serve(listener, nil))
}
