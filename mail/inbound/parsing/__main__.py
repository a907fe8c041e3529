"""Parse the message of the standard input, and write the result for `guard`."""

import pickle
import resource
import sys

from mail.inbound.parsing.reading import parse

CPU_SECONDS = 5
MEMORY_BYTES = 2 * 1024**3

resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
parsed = parse(sys.stdin.buffer.read())
sys.stdout.buffer.write(pickle.dumps(parsed))
