"""Texts of people: folded for search, validated as single lines, matched by name."""
