"""One server process: its hub, its connections, and the tailer of the event log."""
