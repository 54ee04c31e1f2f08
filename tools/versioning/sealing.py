"""Writing sealed test predictions: stored right after training, so that nobody reads them by accident before adoption.

This is a seal, not a lock: it keeps commands, reports, screens and models from showing test results in passing. There is no
reader here on purpose; opening is one act with a ledger line (tools/versioning/ledger.py).
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from pathlib import Path

from tools.files import sha256_bytes, write_atomic
from tools.results import Prediction

SEAL_LINE = "sealed test predictions: open through `iterate adopt`"
"""First line of every sealed file; the second holds the predictions."""


def seal(predictions: Iterable[Prediction], path: Path) -> str:
    """Write predictions as base85 text of zlib-compressed JSON lines; returns the file's SHA-256.

    Equal predictions give equal bytes with one zlib. Raises WriteFailed.
    """
    lines = "".join(prediction.model_dump_json() + "\n" for prediction in predictions)
    packed = base64.b85encode(zlib.compress(lines.encode("utf-8"), level=9))
    content = SEAL_LINE.encode("ascii") + b"\n" + packed + b"\n"
    write_atomic(path, content)
    return sha256_bytes(content)
