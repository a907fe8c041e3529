"""`python -m realtime.serve`: gunicorn's arbiter on the sockets in LISTEN_FDS. It does not load Django."""

from argparse import ArgumentParser

from realtime.serve.arbiter import Application

parser = ArgumentParser()
parser.add_argument("--workers", type=int, required=True)
parser.add_argument("--drain", type=float, required=True)
parser.add_argument("--pages-only", action="store_true")
parser.add_argument("--companion", action="append", default=[], dest="companions")
Application(**vars(parser.parse_args())).run()
