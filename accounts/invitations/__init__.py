"""Invitations by mail: an admin invites a person with a role, who chooses a password by the mail's link."""
