package cli

import (
	"fmt"
	"sync"
	"time"
)

// waitingInterval is the time between two reports that a command is waiting.
const waitingInterval = time.Second

// waiting reports each second what the command is waiting for, and for how long at most, until the function that it returns is
// called.
func (a *cli) waiting(limit time.Duration, format string, args ...any) (done func()) {
	what, began := fmt.Sprintf(format, args...), time.Now()
	return a.reporting(func() string {
		return fmt.Sprintf("%s: %v of at most %v", what, time.Since(began).Round(time.Second), limit)
	})
}

// reporting reports each second what text returns, until the function that it returns is called. It does not report an empty text.
func (a *cli) reporting(text func() string) (done func()) {
	ended := make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() {
		ticker := time.NewTicker(waitingInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				a.progress.Done()
				return
			case <-ticker.C:
				if status := text(); status != "" {
					a.progress.Status(status)
				}
			}
		}
	})
	return sync.OnceFunc(func() {
		close(ended)
		showing.Wait()
	})
}
