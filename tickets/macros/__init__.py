"""Macros: named sets of actions that staff apply to tickets in one step."""
