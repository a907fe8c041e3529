"""One process of the production server, without the arbiter: `python -m tests.support.servers.socket_server FD`."""

import socket
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402

from realtime.serve.server import Server  # noqa: E402

application = import_string(settings.ASGI_APPLICATION)
Server(application, drain=0).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
