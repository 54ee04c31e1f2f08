"""Text of unknown encoding as one whole."""

from __future__ import annotations

from tools.editing.text_lines import decode


def test_the_encoding_is_told_from_where_it_shows_and_not_from_a_long_beginning_in_ascii() -> None:
    text = "id,text\n" + "1,plain\n" * 20_000 + "2,這個提案對學生很有幫助，應該支持\n"
    assert decode(text.encode("big5")) == (text, "big5hkscs")
