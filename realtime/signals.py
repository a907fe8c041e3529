"""What `realtime` tells the project that it runs in."""

from django.dispatch import Signal

# Sent in a transaction when somebody who runs the site disconnects a person: `user`, and `by` whom. Whoever keeps the
# sign-ins ends them here; the person's sockets are closed when the transaction commits.
person_disconnected = Signal()
