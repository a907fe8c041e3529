"""What the API of each app shares: its document, and its errors."""
