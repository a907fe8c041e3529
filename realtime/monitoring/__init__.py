"""Status, live connections and effective configuration, for operators."""
