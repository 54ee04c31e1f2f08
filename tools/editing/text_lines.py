"""Reading text files of unknown encoding line by line: UTF-8 first, else Big5 or GB18030 or UTF-16, never a crash.

It decodes and splits; it does not know what the lines mean. Nothing here writes.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tools.errors import InputError, Problem
from tools.text import T, visible

MAX_LINE_BYTES = 8_000_000
"""A longer line is reported and passed over; no training row is that long, and a torn file could fill the memory."""

_SAMPLE_BYTES = 65_536
_CHUNK = 1 << 16

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# The lead bytes of the characters in everyday use: level 1 of Big5 (A4-C6) and of GB 2312 (B0-D7). Text in one of the
# encodings that is decoded as the other lands in the rare levels, so the share of everyday characters tells them apart.
_EVERYDAY = {"big5hkscs": range(0xA4, 0xC7), "gb18030": range(0xB0, 0xD8)}
_SYMBOLS = range(0xA1, 0xA4)
_CHINESE_SHARE = 0.3
"""Below this share of everyday characters the bytes are accented Western letters that happen to form pairs."""


class Line(NamedTuple):
    """One line without its end."""

    number: int
    text: str | None
    """None when the line is too long to be read."""
    encoding: str
    """The encoding it was read in."""


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a file, one at a time; raises InputError when it cannot be opened.

    A line that is not valid UTF-8 is read in the encoding that fits the odd lines of the file best, so a file with mixed
    encodings keeps all its lines.
    """
    try:
        with path.open("rb") as stream:
            yield from _lines_of(path, stream)
    except OSError as reason:
        raise cannot_read(path, reason) from reason


def read_text(path: Path) -> tuple[str, str]:
    """The whole text of a small file and its encoding, line ends as they are; raises InputError when it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as reason:
        raise cannot_read(path, reason) from reason
    return decode(content)


def decode(content: bytes) -> tuple[str, str]:
    """Text and encoding of some bytes; bytes that fit no encoding become replacement characters."""
    encoding = _wide_encoding(content[:4096]) or "utf-8"
    if encoding == "utf-8":
        try:
            return content.decode("utf-8"), encoding
        except UnicodeDecodeError as odd:
            # From the line of the first odd byte on: a long beginning in ASCII says nothing about the encoding.
            start = content.rfind(b"\n", 0, odd.start) + 1
            encoding = likely_encoding(content[start : start + _SAMPLE_BYTES])
    return content.decode(encoding, errors="replace"), encoding


def assumed_encoding(path: str, encoding: str, line: int | None = None) -> Problem:
    """The note that a file was not read as UTF-8."""
    return Problem(
        message=T(
            "{path} is not UTF-8; it was read as {encoding}.", path=visible(path), encoding=encoding_name(encoding)
        ),
        path=path,
        line=line,
        value=encoding_name(encoding),
        hint=T("If characters look wrong, save the file as UTF-8."),
        page="troubleshooting/broken-files",
        about={"what": "encoding"},
    )


def encoding_name(encoding: str) -> str:
    """The name people use for a codec."""
    names = {
        "big5hkscs": "Big5",
        "gb18030": "GB18030",
        "utf-16": "UTF-16",
        "utf-32": "UTF-32",
        "cp1252": "Windows-1252",
    }
    return names.get(encoding, encoding.upper().replace("-SIG", "").replace("UTF-16-", "UTF-16"))


def cannot_read(path: Path, reason: OSError) -> InputError:
    """The error for a file that cannot be opened or read."""
    return InputError(
        T("Could not read {path}: {reason}.", path=visible(str(path)), reason=reason.strerror or str(reason)),
        hint=T("Check that the file exists and that you may read it."),
        page="troubleshooting/broken-files",
    )


def likely_encoding(sample: bytes) -> str:
    """The encoding that reads bytes that are not UTF-8 best: Big5, GB18030, or Windows-1252 for Western text."""
    scores = {name: _everyday_share(sample, name) for name in _EVERYDAY}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > _CHINESE_SHARE else "cp1252"


def _lines_of(path: Path, stream: BinaryIO) -> Iterator[Line]:
    wide = _wide_encoding(stream.read(4096))
    stream.seek(0)
    if wide is not None and wide != "utf-8-sig":
        yield from _wide_lines(stream, wide)
        return
    odd: str | None = None
    for number, raw in enumerate(_raw_lines(stream), start=1):
        if raw is None:
            yield Line(number, None, "utf-8")
            continue
        content = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        try:
            yield Line(number, content.decode("utf-8"), "utf-8")
        except UnicodeDecodeError:
            odd = odd or likely_encoding(_odd_sample(path))
            yield Line(number, content.decode(odd, errors="replace"), odd)


def _raw_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    r"""Lines split at \n, \r\n or a lone \r; None for one that is too long."""
    while raw := stream.readline(MAX_LINE_BYTES):
        if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
            _skip_line(stream)
            yield None
            continue
        whole = raw.removesuffix(b"\n").removesuffix(b"\r")
        if b"\r" in whole:
            yield from whole.split(b"\r")
        else:
            yield whole


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(_CHUNK)) and not rest.endswith(b"\n"):
        pass


def _wide_lines(stream: BinaryIO, encoding: str) -> Iterator[Line]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    chunks = (decoder.decode(chunk) for chunk in iter(lambda: stream.read(_CHUNK), b""))
    for number, text in enumerate(_split_chunks(chunks), start=1):
        yield Line(number, text, encoding)


def _split_chunks(chunks: Iterable[str]) -> Iterator[str | None]:
    """Lines of a text that arrives in pieces; None for one that is too long."""
    rest, overlong = "", False
    for chunk in chunks:
        *whole, rest = (rest + chunk).split("\n")
        for text in whole:
            yield None if overlong else text.removesuffix("\r").removeprefix("\ufeff")
            overlong = False
        if len(rest) > MAX_LINE_BYTES:
            rest, overlong = "", True
    if rest or overlong:
        yield None if overlong else rest.removesuffix("\r").removeprefix("\ufeff")


def _odd_sample(path: Path) -> bytes:
    """The first lines that are not UTF-8, up to a sample's size."""
    sample = bytearray()
    with path.open("rb") as stream:
        for raw in _raw_lines(stream):
            if raw is not None and not _decodes(raw, "utf-8"):
                sample += raw + b"\n"
            if len(sample) >= _SAMPLE_BYTES:
                break
    return bytes(sample)


def _wide_encoding(head: bytes) -> str | None:
    """The encoding that a byte order mark or a pattern of zero bytes gives away; None for ordinary bytes."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if odd > 0.3 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.3 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _everyday_share(sample: bytes, encoding: str) -> float:
    """Share of double-byte characters that are in everyday use when `sample` is read in `encoding`; 0 if it does not fit."""
    text = sample.decode(encoding, errors="replace")
    wide = [char for char in text if ord(char) > 0x7F]
    if not wide or wide.count("\ufffd") > 0.02 * len(wide) + 1:
        return 0.0
    everyday = sum(_is_everyday(char, encoding) for char in wide)
    return everyday / len(wide)


def _is_everyday(char: str, encoding: str) -> bool:
    code = char.encode(encoding, errors="ignore")
    if len(code) != 2 or (encoding == "gb18030" and code[1] < 0xA1):
        return False
    return code[0] in _EVERYDAY[encoding] or code[0] in _SYMBOLS
