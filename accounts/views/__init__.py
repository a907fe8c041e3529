"""Pages of and about people."""
