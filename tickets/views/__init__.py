"""Page views: load through a policy, validate, call a service, render."""
