"""Small runs before a version is trained: the quick check, the learning-rate range test, scores of unlabelled rows."""

from __future__ import annotations
