"""The user's text files: read in any encoding with every problem named, changed by one key with every other byte kept."""

from __future__ import annotations
