"""Tests of an installation: what is broken, in a sentence, and what to set or run. `manage.py realtime_doctor`."""
