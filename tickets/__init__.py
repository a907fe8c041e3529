"""What: tickets, their replies and notes, and everything that happens to them."""
