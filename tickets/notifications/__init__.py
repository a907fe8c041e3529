"""Who is notified of what, and the notifications in the app."""
