from __future__ import annotations

from typing import get_args

import pytest

from agent.events import Analysed, ErrorPattern, Event
from agent.faces.plain import PlainFace
from tools.text import english

EVENTS = get_args(get_args(Event)[0])


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_of_a_session_has_lines(event: type) -> None:
    dispatcher = vars(PlainFace)["_lines"].dispatcher
    assert dispatcher.dispatch(event) is not dispatcher.dispatch(object)


def test_a_models_reading_is_marked_as_an_opinion_and_cannot_move_the_cursor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pattern = ErrorPattern(name="irony\x1b[2J", explanation="Praise that is none.", row_ids=["v1", "v2"])
    PlainFace(english).watch(Analysed(model="small", summary="Irony\x07 is read as praise.", patterns=[pattern]))
    shown = capsys.readouterr().out
    assert "small sees in the wrong answers (an opinion)" in shown
    assert "v1, v2" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown
