"""What is claimed about speed, measured. Each runs by itself: `python -m benchmarks.NAME`."""
