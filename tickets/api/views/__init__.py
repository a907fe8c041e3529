"""API views: load through a policy, validate, call a service, return a payload."""
