"""Keeping the resident memory of a worker near what it uses.

Worker side. The C library keeps freed blocks of changing sizes, as batches of changing length make them; without what is
here a training of 2.5 GB grows beyond 4 GB within a few evaluations. The calls do nothing where the C library is another one.
"""

from __future__ import annotations

import contextlib
import ctypes

_M_MMAP_THRESHOLD = -3
PAD_MULTIPLE = 16
"""Batches are padded to a multiple of this many tokens. The matrix library keeps compiled code and scratch memory for every
shape it has met: with batches of any width a worker grew by half a gigabyte in 36 steps, with these it does not grow."""
_LARGE = 8 << 20
"""Blocks of this many bytes and more are asked of the system and given back at once."""


def padded_width(longest: int) -> int:
    """The width of a batch whose longest row has that many tokens."""
    return -(-longest // PAD_MULTIPLE) * PAD_MULTIPLE


def keep_memory_low() -> None:
    """Have large blocks given back when they are freed; call before the first large one."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Return freed memory to the system now."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
