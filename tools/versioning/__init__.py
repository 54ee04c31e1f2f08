"""The records of versions, the locked test set with its ledger, adoption, and forecasts that get scored."""

from __future__ import annotations
