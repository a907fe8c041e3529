"""What is known of a person: export it, and erase it."""
