"""Runs the graph that tasks.py declares with Invoke's own `pre` and `post`, with one set of values."""
