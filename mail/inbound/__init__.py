"""Mail that the desk receives."""
