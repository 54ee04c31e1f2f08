"""The part of the rows that a quick check trains on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tools.probing.subset import at_most, part_of
from tools.runs import Example


def rows(prefix: str, counts: dict[str, int]) -> list[Example]:
    return [
        Example(id=f"{prefix}-{label}{n}", messages=[], completion=label, expected=label, input={})
        for label, count in counts.items()
        for n in range(count)
    ]


def ids(found: list[Example]) -> list[str]:
    return [row.id for row in found]


def test_each_label_keeps_its_share_and_a_scarce_one_is_never_lost() -> None:
    part = part_of(rows("t", {"a": 100, "b": 50, "c": 3}), 0.3)
    assert Counter(row.expected for row in part) == {"a": 30, "b": 15, "c": 2}


def test_rows_that_both_sides_have_are_in_both_parts_or_in_neither() -> None:
    base = rows("t", {"a": 60, "b": 40})
    left_out = [row for row in base if row.id != "t-a7"]
    part, other = part_of(base, 0.3), part_of(left_out, 0.3, base=base)
    assert ids(other) == [name for name in ids(part) if name != "t-a7"]


def test_added_rows_come_in_at_the_same_share() -> None:
    base = rows("t", {"a": 60, "b": 40})
    part = part_of([*base, *rows("new", {"b": 50})], 0.3, base=base)
    assert sum(name.startswith("new") for name in ids(part)) == 15
    assert [name for name in ids(part) if name.startswith("t")] == ids(part_of(base, 0.3))


def test_repetitions_come_and_go_with_their_row() -> None:
    base = rows("t", {"a": 40})
    copies = [row.model_copy(update={"id": f"{row.id}#2"}) for row in base]
    part = part_of([*base, *copies], 0.25, base=base)
    assert len(part) == 20
    assert {name.removesuffix("#2") for name in ids(part)} == set(ids(part_of(base, 0.25)))


def test_a_relabelled_row_stays_in_the_part() -> None:
    base = rows("t", {"a": 40, "b": 40})
    changed = [
        row.model_copy(update={"expected": "b"}) if row.id == ids(part_of(base, 0.2))[0] else row for row in base
    ]
    assert ids(part_of(changed, 0.2, base=base)) == ids(part_of(base, 0.2))


def test_validation_rows_are_cut_alike_every_time_and_small_splits_stay_whole() -> None:
    valid = rows("v", {"a": 300, "b": 90, "c": 10})
    part = at_most(valid, 100)
    assert Counter(row.expected for row in part) == {"a": 75, "b": 22, "c": 2}
    assert ids(at_most(valid, 100)) == ids(part)
    assert at_most(valid[:50], 100) == valid[:50]


class Passed(list[Example]):
    """Rows that count how often somebody goes through them."""

    times = 0

    def __iter__(self) -> Iterator[Example]:
        self.times += 1
        return super().__iter__()


def test_the_base_is_not_gone_through_for_each_of_its_rows() -> None:
    base = Passed(rows("t", {"a": 60, "b": 40}))
    part_of(base, 0.3, base=base)
    assert base.times < 20
