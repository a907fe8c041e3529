"""REST API of mail: how a person is notified of what."""
