"""Status, live connections, effective configuration and channel access, for operators."""
