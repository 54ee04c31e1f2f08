"""Evidence about a task: one file per kind, each a function from a Case to findings with numbers and row ids.

Nothing here reads or writes a file, trains, or decides what to do; tools/diagnose.py gathers and ranks, a step decides.
"""

from __future__ import annotations
