"""The production server: gunicorn's arbiter with a worker class on uvicorn.

`manage.py serve` checks the project (`preflight`) and replaces itself by `python -m realtime.serve`, which runs
`arbiter`. Its processes are `worker`; `server` is what they run on uvicorn, `drain` their graceful shutdown.
"""
