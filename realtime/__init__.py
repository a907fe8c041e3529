"""A Pusher-protocol broadcasting server on Channels: it tells, it knows no domain."""
