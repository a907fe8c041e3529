"""Snooze: a ticket leaves the views of open work until a time, or until its customer writes."""
