package app

import (
	"context"
	"log/slog"
)

// warnings passes on records of level warn and above.
type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }

// debugOnly is for node_exporter's collectors, which log an error for each kernel feature a
// machine lacks. Which of them fail is in node_scrape_collector_success.
func (a *App) debugOnly() *slog.Logger {
	if a.log.Enabled(context.Background(), slog.LevelDebug) {
		return a.log.With("server", "node")
	}
	return slog.New(slog.DiscardHandler)
}
