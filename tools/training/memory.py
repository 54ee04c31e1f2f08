"""Keeping the resident memory of a worker near what it uses.

Worker side. The C library keeps freed blocks of changing sizes, as batches of changing length make them; without the two
calls here a training of 2.7 GB grows beyond 4 GB within a few evaluations. They do nothing where the library is another one.
"""

from __future__ import annotations

import contextlib
import ctypes

_M_MMAP_THRESHOLD = -3
_LARGE = 8 << 20
"""Blocks of this many bytes and more are asked of the system and given back at once."""


def keep_memory_low() -> None:
    """Have large blocks given back when they are freed; call before the first large one."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Return freed memory to the system now."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
