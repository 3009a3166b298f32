"""Everything below tasks.py: what the tasks load, compute, run and verify."""
