"""E-mail in and out: what is sent about tickets, and messages that become tickets and replies."""
