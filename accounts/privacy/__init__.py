"""What the site knows of a person: found, exported and erased."""
