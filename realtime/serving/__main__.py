"""Runs a process: `python -m realtime.serving sockets|pages ...`, which the supervisor starts."""

import gc
import sys
from importlib import import_module

import django

django.setup()
kind, *arguments = sys.argv[1:]
module = import_module(f"realtime.serving.{kind}")
gc.freeze()  # what is there by now stays: looking through it again and again would take a seventh of the time
module.serve(module.options(arguments))
