"""Links between two related tickets, which staff of both make and see."""
