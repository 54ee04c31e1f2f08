"""Checking that a task folder is whole and agrees with itself, and mending what can be mended without losing anything.

No model, no training, no test row: sealed files are hashed and never opened. What knows of sessions, the journal and nights is
agent/fsck.py.
"""
