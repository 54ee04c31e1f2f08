"""What trainings brought: results, predictions and loss histories in files of any origin; where a task stands."""

from __future__ import annotations
