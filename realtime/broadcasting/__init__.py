"""Events: written to the event log, dispatched to the channel layer, replayed by the history."""
