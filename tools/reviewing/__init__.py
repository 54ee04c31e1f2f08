"""The review of single rows by a person: batches on disk, what is suspect, and what becomes of the decisions."""

from __future__ import annotations
