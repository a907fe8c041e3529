"""The REST API of people: who one is, tokens, offices; and what every view of the API stands on."""
