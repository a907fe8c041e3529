"""Pages: fetch through a policy, validate, call a verb, render."""
