"""The production server: processes for sockets (uvicorn) and for pages (gunicorn), under one supervisor.

`supervisor` starts and replaces them; `sockets` and `pages` are what each of them runs; `door` tells the two apart
on one port; `neighbours` lets in who waits for a process that is stuck; `websocket` is the end of a socket; `drain`
sends its people away, without a herd, before it ends.
"""
