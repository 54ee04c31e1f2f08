"""The catalogue of base models: what they are, what they need, and what is the next larger one. Free of torch."""

from __future__ import annotations
