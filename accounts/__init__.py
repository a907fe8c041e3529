"""Users, roles, offices, sessions and API tokens."""
