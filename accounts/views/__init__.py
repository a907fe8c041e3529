"""Page views of users and their profile."""
