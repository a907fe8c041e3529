"""Pages of mail: what each person wants to receive, and the way out of it."""
