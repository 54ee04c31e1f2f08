"""Labelling by a person where it pays: which rows of a pool to ask about, and how far the person and the model agree."""

from __future__ import annotations
