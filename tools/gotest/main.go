// Gotest runs `go test` and prints one line for each package as soon as its tests have ended, with the time that they took. The
// output of tests is printed if they fail. While tests run for long, it says which. Its arguments are the folder of the module
// and the arguments of `go test`:
//
//	go run ./tools/gotest FOLDER [ARGUMENT...]
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// interval is the longest time without a line.
const interval = 15 * time.Second

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: gotest FOLDER [ARGUMENT OF GO TEST...]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:], os.Stdout); err != nil {
		fmt.Println("FAIL: " + err.Error())
		os.Exit(1)
	}
}

// run runs `go test` in a folder and writes to out what happens. The error says which packages failed.
func run(dir string, args []string, out io.Writer) error {
	cmd := exec.CommandContext(context.Background(), "go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir = dir
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	messages, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	r := newReport(out, time.Now())
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("running go test: %w", err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { r.readEvents(events) })
	readers.Go(func() {
		for lines := bufio.NewScanner(messages); lines.Scan(); {
			r.message(lines.Text())
		}
	})
	ended := make(chan struct{})
	go r.printProgress(ended)
	readers.Wait()
	err = cmd.Wait()
	close(ended)
	return r.end(err)
}
