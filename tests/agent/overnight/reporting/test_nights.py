"""Which night is meant when somebody asks for a report."""

from __future__ import annotations

import pytest

from agent.overnight.records import NightRecord
from agent.overnight.reporting.facts import night_facts
from agent.overnight.reporting.nights import find_night, line_up, nights
from tests.support.nights import Night
from tools.errors import InputError, NotFound


def test_the_newest_night_is_meant_unless_one_is_named_and_a_wrong_name_gets_the_nearest(tmp_path):
    Night(tmp_path, night="2026-11-20-2300", started_at="2026-11-20T15:00:00+00:00").over()
    Night(tmp_path, night="2026-11-22-2300")
    assert find_night(tmp_path, None).id == "2026-11-22-2300"
    assert find_night(tmp_path, "2026-11-20").id == "2026-11-20-2300"
    assert [line_up(one).state for one in nights(tmp_path)] == ["cut_off", "over"]
    with pytest.raises(InputError, match="beginning of several"):
        find_night(tmp_path, "2026")
    with pytest.raises(NotFound) as wrong:
        find_night(tmp_path, "2026-11-21-2300\x1b")
    assert "Did you mean 2026-11-2" in str(wrong.value.hint) and "\x1b" not in str(wrong.value)


def test_a_workspace_without_nights_and_a_plan_that_cannot_be_read_say_so(tmp_path):
    with pytest.raises(NotFound, match="No night"):
        find_night(tmp_path, None)
    folder = Night(tmp_path).record.folder
    (folder / "plan.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        night_facts(NightRecord(folder))
    assert nights(tmp_path) == []
