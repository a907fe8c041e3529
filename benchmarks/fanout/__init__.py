"""One event to many sockets: ours, others' servers, and what the machine allows."""
