"""Sign-up, sign-in and the second step: what is in place of, or beside, the parts of allauth."""
