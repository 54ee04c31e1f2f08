"""Values in the person's own editor: whatever that editor does, it ends in a text or in an error with a next step."""

from __future__ import annotations

import pytest

from agent.faces.edit_values import run_editor
from tools.errors import InputError, MissingPart


def test_an_editor_that_cannot_be_run_is_named_with_what_to_set():
    for editor in ('vim "', "no-such-editor-here", "false"):
        with pytest.raises(MissingPart, match="could not be run") as failed:
            run_editor("a: 1\n", {"EDITOR": editor})
        assert "EDITOR" in str(failed.value.hint)


def test_a_file_that_is_gone_or_no_text_any_more_is_refused():
    for command in ("rm", 'sh -c \'printf "\\\\246" > "$0"\''):
        with pytest.raises(InputError, match="no UTF-8 text"):
            run_editor("a: 1\n", {"EDITOR": command})


def test_what_was_saved_comes_back():
    assert run_editor("a: 1\n", {"EDITOR": "sed -i s/1/2/"}) == "a: 2\n"
