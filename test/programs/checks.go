package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

type node struct{ left, right *node }

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

func (n *node) count() int {
	if n.left == nil {
		return 1
	}
	return 1 + n.left.count() + n.right.count()
}

func main() {
	in, out := make(chan int), make(chan int)
	var all sync.WaitGroup
	for i := 0; i < 100; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := range in {
				out <- n * n
			}
		}()
	}
	go func() {
		for i := 0; i < 10000; i++ {
			in <- i
		}
		close(in)
		all.Wait()
		close(out)
	}()
	sum := 0
	for n := range out {
		sum += n
	}
	nodes := 0
	for i := 0; i < 20; i++ {
		nodes += tree(14).count()
		runtime.GC()
	}
	defer func() {
		fmt.Println("recovered:", recover() != nil)
		os.Exit(6)
	}()
	select {
	case <-time.After(10 * time.Millisecond):
		fmt.Println(sum, nodes)
	}
	var null *node
	fmt.Println(null.left)
}
