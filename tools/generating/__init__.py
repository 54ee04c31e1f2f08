"""New training rows written by a language model: planned, asked for, checked row by row, and put before a person.

The model comes from the caller as a typed callable (writer.py); nothing here opens a connection, and nothing that a model
writes enters training before a person has accepted it (tools/samples.py).
"""

from __future__ import annotations
