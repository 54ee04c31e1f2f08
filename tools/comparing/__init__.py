"""Two versions on the same rows: the paired comparison, its verdict, its words and its report."""

from __future__ import annotations
