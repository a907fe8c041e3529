"""Views of the API: fetch through a policy, read, call a verb, answer with a brief."""
