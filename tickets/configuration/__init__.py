"""What admins set up for tickets: statuses, priorities, saved replies."""
