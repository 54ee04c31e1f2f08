from __future__ import annotations

from pathlib import Path

import pytest

from agent.overnight import records
from agent.overnight.records import NightRecord, Spent
from tools.files import write_atomic


def spent(number: int) -> Spent:
    return Spent(at="2026-11-22T15:00:00+00:00", key=f"spent:{number}", minutes=number, runs=0, dollars=0)


def keys(record: NightRecord) -> list[str]:
    return [line.key for line in record.lines()]


def test_each_line_of_a_night_is_parsed_once_however_often_it_is_looked_at(tmp_path: Path, monkeypatch):
    parsed: list[bytes] = []
    parse = records._line
    monkeypatch.setattr(records, "_line", lambda text: parsed.append(text) or parse(text))
    record = NightRecord(tmp_path)
    for number in range(50):
        assert record.add(spent(number))
        assert len(record.lines()) == number + 1
    assert not record.add(spent(7))
    assert len([text for text in parsed if text]) == 50


def test_what_another_process_appends_is_seen_and_not_written_twice(tmp_path: Path):
    mine, other = NightRecord(tmp_path), NightRecord(tmp_path)
    mine.add(spent(1))
    assert keys(other) == ["spent:1"]
    other.add(spent(2))
    assert not mine.add(spent(2)) and keys(mine) == ["spent:1", "spent:2"]


@pytest.mark.parametrize("torn", [b'{"at": "2026-1', '{"at": "中'.encode()[:-1]])
def test_a_line_torn_by_a_crash_is_left_out_before_and_after_it_is_closed_off(tmp_path: Path, torn: bytes):
    record, file = NightRecord(tmp_path), tmp_path / "lines.jsonl"
    record.add(spent(1))
    with file.open("ab") as stream:
        stream.write(torn)
    assert keys(record) == ["spent:1"]
    NightRecord(tmp_path).add(spent(2))
    assert keys(record) == keys(NightRecord(tmp_path)) == ["spent:1", "spent:2"]


def test_a_last_line_that_only_lacks_its_end_counts_and_is_counted_once(tmp_path: Path):
    record = NightRecord(tmp_path)
    record.add(spent(1))
    with (tmp_path / "lines.jsonl").open("a") as stream:
        stream.write(spent(2).model_dump_json())
    assert keys(record) == keys(record) == ["spent:1", "spent:2"]
    assert not record.add(spent(2)) and record.add(spent(3))
    assert keys(record) == ["spent:1", "spent:2", "spent:3"]


@pytest.mark.parametrize("numbers", [[3], [3, 4], [3, 4, 5]])
def test_a_file_that_was_put_in_its_place_is_read_anew(tmp_path: Path, numbers: list[int]):
    record, file = NightRecord(tmp_path), tmp_path / "lines.jsonl"
    record.add(spent(1))
    record.add(spent(2))
    assert keys(record) == ["spent:1", "spent:2"]
    write_atomic(file, "".join(spent(number).model_dump_json() + "\n" for number in numbers))
    assert keys(record) == [f"spent:{number}" for number in numbers]
    file.unlink()
    assert keys(record) == []
