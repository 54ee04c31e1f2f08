"""From a data recipe to planned runs, and from finished runs to the results and weights of a version."""

from __future__ import annotations
