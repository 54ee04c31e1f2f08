"""Text for people: names of tasks, labels and files come from anywhere."""

from __future__ import annotations

import pytest

from tools.text import shell_word


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("stance", "stance"),
        ("立場", "立場"),
        ("my stance", "'my stance'"),
        ("a;rm -rf", "'a;rm -rf'"),
        ("\x1b[2J", "'\\u001b[2J'"),
    ],
)
def test_a_name_in_a_command_line_can_be_pasted_and_does_nothing_else(name, typed):
    assert shell_word(name) == typed
