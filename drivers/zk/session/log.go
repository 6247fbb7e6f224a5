package session

import (
	"context"
	"fmt"
	"log/slog"
)

// libraryLog gives what the client library prints to slog. It is all about single connections, which come and go, so
// that it is of interest only to those who look for a fault.
type libraryLog struct{ logger *slog.Logger }

// Printf implements the library's Logger.
func (l libraryLog) Printf(format string, args ...any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("ZooKeeper client library", "text", fmt.Sprintf(format, args...))
	}
}
