"""WebSocket (RFC 6455) for uvicorn: frames, opening handshake, server protocol."""
