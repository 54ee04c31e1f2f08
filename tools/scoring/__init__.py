"""What is asked, how an answer is parsed and scored, and where the scores are kept."""

from __future__ import annotations
