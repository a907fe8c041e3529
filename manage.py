#!/usr/bin/env python
"""Django's command line for TIKM."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tikm.settings")
    from tikm import command_line

    command_line.run(sys.argv)
