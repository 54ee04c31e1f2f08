"""A new task folder out of a local table: columns, examples, splits, texts and scripts."""

from __future__ import annotations
