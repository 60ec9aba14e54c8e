"""One module a way to ask: reads, writes, watches, logs, scale; and how bodies and answers look."""
