"""Pairs of a better and a worse answer, made from the task itself: its training rows, and what its versions get wrong."""

from __future__ import annotations
