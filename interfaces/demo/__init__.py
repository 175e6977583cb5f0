"""A small made-up web on loopback: what ``./run demo`` crawls, and what tests and benchmarks measure against."""
