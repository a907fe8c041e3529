"""HTTP endpoints: Pusher HTTP API, channel authorization, history."""
