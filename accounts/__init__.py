"""Who: people, their roles and offices."""
