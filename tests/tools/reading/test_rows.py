from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.errors import InputError
from tools.reading.rows import RowsRead, read_rows
from tools.task import AnswerFormat, TaskDefinition

LABELS = ["正面", "負面", "中立"]


def definition(inputs: list[str] | None = None, /, **answer: object) -> TaskDefinition:
    names = ["text"] if inputs is None else inputs
    shape = AnswerFormat.model_validate({"type": "label", "labels": LABELS} | answer)
    kind = "classification" if shape.type == "label" or shape.label_field else "extraction"
    if shape.type == "text":
        kind = "generation"
    template = "".join("{" + name + "}" for name in names)
    return TaskDefinition(task_name="t", task_type=kind, template=template, input_fields=names, answer=shape)


def read(tmp_path: Path, content: str | bytes, task: TaskDefinition | None = None) -> RowsRead:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    before = path.read_bytes()
    found = read_rows(path, task or definition(), shown="data/rows.jsonl")
    assert path.read_bytes() == before
    return found


def lines(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def sorts(found: RowsRead) -> list[object]:
    return [problem.about.get("what") for problem in found.problems]


def test_plain_rows_keep_their_id_label_and_metadata(tmp_path: Path) -> None:
    found = read(tmp_path, lines({"id": "a", "text": "好", "label": "正面", "source": "web", "n": 3}))
    row = found.rows[0]
    assert (row.id, row.fields, row.answer, row.meta) == ("a", {"text": "好"}, "正面", {"source": "web", "n": 3})
    assert (row.file, row.line, found.problems) == ("data/rows.jsonl", 1, [])


@pytest.mark.parametrize(
    "held",
    [
        {"label": "正面"},
        {"output": "正面"},
        {"mood": "正面"},
        {"label": {"mood": "正面"}},
        {"output": '{"mood": "正面"}'},
        {"label": {"anything": "正面"}},
    ],
)
def test_a_label_may_stand_under_label_output_or_its_own_name_bare_or_in_an_object(
    tmp_path: Path, held: dict[str, object]
) -> None:
    task = definition(type="json", fields=["mood"], label_field="mood")
    found = read(tmp_path, lines({"text": "好", **held}), task)
    assert (found.rows[0].answer, found.problems) == ("正面", [])


def test_numbers_as_labels_match_labels_declared_as_text(tmp_path: Path) -> None:
    found = read(
        tmp_path, lines({"text": "a", "label": 0}, {"text": "b", "label": True}), definition(labels=["0", "true"])
    )
    assert [row.answer for row in found.rows] == ["0", "true"]


def test_chat_rows_give_all_turns_before_the_answer(tmp_path: Path) -> None:
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": " 負面"},
    ]
    found = read(tmp_path, lines({"messages": turns}))
    assert json.loads(found.rows[0].fields["messages"]) == turns[:2]
    assert found.rows[0].answer == "負面"


def test_a_chat_with_an_unknown_role_is_not_taken_for_a_chat(tmp_path: Path) -> None:
    found = read(tmp_path, lines({"messages": [{"role": "robot", "content": "u"}]}))
    assert found.rows == []
    assert sorts(found) == ["missing_field"]


def test_preference_rows_keep_both_answers_and_their_prompt(tmp_path: Path) -> None:
    asked = [{"role": "user", "content": "u"}]
    said = [{"role": "assistant", "content": "正面"}]
    found = read(
        tmp_path,
        lines(
            {"prompt": "問", "chosen": "正面", "rejected": "負面"},
            {"prompt": asked, "chosen": said, "rejected": "x"},
            {"text": "文", "chosen": "正面", "rejected": "負面"},
        ),
    )
    assert [row.fields for row in found.rows] == [{"prompt": "問"}, {"messages": json.dumps(asked)}, {"text": "文"}]
    assert [(row.chosen, row.rejected, row.answer) for row in found.rows] == [
        ("正面", "負面", "正面"),
        ("正面", "x", "正面"),
        ("正面", "負面", "正面"),
    ]


def test_extraction_answers_may_be_objects_json_text_or_stand_loose_in_the_row(tmp_path: Path) -> None:
    task = definition(type="json", labels=[], fields=["a", "b"])
    wanted = {"a": "1", "b": "2"}
    rows = [{"text": "x", "output": wanted}, {"text": "y", "label": json.dumps(wanted)}, {"text": "z", **wanted}]
    assert [row.answer for row in read(tmp_path, lines(*rows), task).rows] == [wanted] * 3


def test_an_answer_without_a_declared_field_or_with_a_forbidden_value_counts_as_unlabelled(tmp_path: Path) -> None:
    task = definition(type="json", labels=[], fields=["a"], enums={"a": ["x"]})
    found = read(tmp_path, lines({"text": "1", "output": {"b": 1}}, {"text": "2", "output": {"a": "y"}}), task)
    assert [row.answer for row in found.rows] == [None, None]
    assert sorts(found) == ["answer_field", "unknown_label"]


def test_an_unknown_label_names_the_line_the_value_the_choices_and_the_nearest(tmp_path: Path) -> None:
    found = read(tmp_path, lines({"text": "a", "label": "正面"}, {"text": "b", "label": "正向"}))
    problem = found.problems[0]
    assert (problem.line, problem.value, problem.choices) == (2, "正向", LABELS)
    assert "正面" in str(problem.hint)
    assert [row.answer for row in found.rows] == ["正面", None]


def test_a_label_in_other_width_case_or_with_spaces_is_understood_and_said(tmp_path: Path) -> None:
    found = read(
        tmp_path, lines({"text": "a", "label": "ＰＯＳ"}, {"text": "b", "label": "Pos"}), definition(labels=["pos"])
    )
    assert [row.answer for row in found.rows] == ["pos", "pos"]
    assert sorts(found) == ["label_variant", "label_variant"]


def test_duplicate_ids_are_kept_apart_and_reported(tmp_path: Path) -> None:
    found = read(tmp_path, lines(*({"id": "a", "text": t, "label": "正面"} for t in "xyz")))
    assert [row.id for row in found.rows] == ["a", "a~2", "a~3"]
    assert sorts(found) == ["duplicate_id", "duplicate_id"]


def test_rows_without_an_id_get_the_same_one_wherever_they_stand(tmp_path: Path) -> None:
    one, two = {"text": "x", "label": "正面"}, {"text": "y", "label": "正面"}
    first = {row.fields["text"]: row.id for row in read(tmp_path, lines(one, two)).rows}
    second = {row.fields["text"]: row.id for row in read(tmp_path, lines(two, {}, one)).rows}
    assert first == second
    assert len(set(first.values())) == 2
    assert all(len(identity) == 10 for identity in first.values())


def test_equal_rows_without_ids_are_both_kept(tmp_path: Path) -> None:
    found = read(tmp_path, lines({"text": "x", "label": "正面"}, {"text": "x", "label": "正面"}))
    assert found.rows[1].id == found.rows[0].id + "~2"


@pytest.mark.parametrize("odd", [1.5, [], {}, "", True, "x" * 500])
def test_an_id_of_an_odd_type_is_replaced_and_reported(tmp_path: Path, odd: object) -> None:
    found = read(tmp_path, lines({"id": odd, "text": "x", "label": "正面"}))
    assert len(found.rows[0].id) == 10
    assert sorts(found) == ["odd_id"]


def test_a_whole_number_is_a_fine_id(tmp_path: Path) -> None:
    found = read(tmp_path, lines({"id": 7, "text": "x", "label": "正面"}))
    assert (found.rows[0].id, found.problems) == ("7", [])


def test_broken_lines_are_reported_with_their_line_and_the_rest_is_read(tmp_path: Path) -> None:
    good = lines({"text": "x", "label": "正面"})
    found = read(tmp_path, good + "{broken\n\n[1, 2]\n3\nnull\n" + '{"label": "正面"}\n' + good)
    assert len(found.rows) == 2
    assert [(p.line, p.about["what"]) for p in found.problems] == [
        (2, "broken_json"),
        (4, "not_object"),
        (5, "not_object"),
        (6, "not_object"),
        (7, "missing_field"),
    ]


def test_many_problems_of_one_sort_are_counted_instead_of_listed(tmp_path: Path) -> None:
    found = read(tmp_path, "{\n" * 1000)
    assert len(found.problems) == 6
    assert found.problems[-1].about["more"] == 995
    assert "995" in str(found.problems[-1].message)


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("big5", "Big5"),
        ("gb18030", "GB18030"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_usual_encodings_and_line_ends_are_read_and_named(
    tmp_path: Path, codec: str, said: str | None, newline: str
) -> None:
    texts = ["央行維持利率不變，市場反應平淡", "這家公司的產品品質很好，功能完整", "許蓋功說法院判決不公平"]
    content = lines(*({"text": text, "label": "負面"} for text in texts)).replace("\n", newline)
    found = read(tmp_path, content.encode(codec))
    assert [row.fields["text"] for row in found.rows] == texts
    assert [problem.value for problem in found.problems] == ([] if said is None else [said])


def test_simplified_chinese_in_gb18030_is_not_taken_for_big5(tmp_path: Path) -> None:
    text = "这家公司的产品质量很好，价格也很合理，我们非常满意"
    content = lines({"text": text, "label": "正面"}).encode("gb18030")
    found = read(tmp_path, content)
    assert found.rows[0].fields["text"] == text


def test_western_text_in_latin_1_is_not_taken_for_chinese(tmp_path: Path) -> None:
    content = lines({"text": "Café Müller à Genève", "label": "正面"}).encode("utf-8").replace("正面".encode(), b"pos")
    latin = content.decode("utf-8").encode("latin-1")
    found = read(tmp_path, latin, definition(labels=["pos"]))
    assert found.rows[0].fields["text"] == "Café Müller à Genève"


def test_a_file_with_mixed_encodings_keeps_all_its_lines(tmp_path: Path) -> None:
    one, two = {"text": "第一句話說得很好", "label": "正面"}, {"text": "第二句話說得不好", "label": "負面"}
    found = read(tmp_path, lines(one).encode("utf-8") + lines(two).encode("big5"))
    assert [row.fields["text"] for row in found.rows] == [one["text"], two["text"]]
    assert found.problems[0].line == 2


def test_a_file_that_is_one_json_list_is_read_too(tmp_path: Path) -> None:
    rows = [{"text": "x", "label": "正面"}, 3, {"text": "y", "label": "負面"}]
    found = read(tmp_path, json.dumps(rows, indent=2))
    assert [row.fields["text"] for row in found.rows] == ["x", "y"]
    assert sorts(found) == ["not_object"]


def test_line_separators_inside_a_text_do_not_end_the_line(tmp_path: Path) -> None:
    found = read(tmp_path, lines({"text": "a\u2028b\u0085c", "label": "正面"}))
    assert found.rows[0].fields["text"] == "a\u2028b\u0085c"


def test_an_absurdly_long_line_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.editing.text_lines.MAX_LINE_BYTES", 1000)
    good = lines({"text": "x", "label": "正面"})
    found = read(tmp_path, lines({"text": "y" * 5000, "label": "正面"}) + good)
    assert [row.fields["text"] for row in found.rows] == ["x"]
    assert sorts(found) == ["long_line"]


@pytest.mark.parametrize("line", ['{"text": "\\ud800", "label": "正面"}', '{"text": ' + "[" * 500 + "]" * 500 + "}"])
def test_what_could_not_be_written_again_counts_as_broken(tmp_path: Path, line: str) -> None:
    found = read(tmp_path, line + "\n")
    assert (found.rows, sorts(found)) == ([], ["broken_json"])


def test_control_characters_in_a_row_do_not_reach_a_message(tmp_path: Path) -> None:
    found = read(tmp_path, lines({"text": "x", "label": "\x1b[2Jred"}))
    assert "\x1b" not in str(found.problems[0].message) + str(found.problems[0].value)


def test_a_null_field_is_missing_and_an_empty_one_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, lines({"text": None, "label": "正面"}, {"text": " ", "label": "正面"}))
    assert len(found.rows) == 1
    assert sorts(found) == ["missing_field", "empty_field"]


def test_fields_that_are_not_texts_are_written_as_json(tmp_path: Path) -> None:
    found = read(tmp_path, lines({"text": ["一", 2], "label": "正面"}))
    assert found.rows[0].fields["text"] == '["一", 2]'


def test_unlabelled_rows_are_no_problem_by_themselves(tmp_path: Path) -> None:
    found = read(tmp_path, lines({"text": "x"}, {"text": "y", "label": None}))
    assert ([row.answer for row in found.rows], found.problems) == ([None, None], [])


def test_a_file_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rows\.jsonl"):
        read_rows(tmp_path / "rows.jsonl", definition())


@pytest.mark.parametrize("role", [{}, [], 3, None])
def test_a_chat_whose_role_is_no_text_is_not_taken_for_a_chat(tmp_path: Path, role: object) -> None:
    found = read(tmp_path, lines({"messages": [{"role": role, "content": "u"}]}))
    assert sorts(found) == ["missing_field"]


class Looked(set[str]):
    """Ids that count how often somebody asks for one."""

    times = 0

    def __contains__(self, one: object) -> bool:
        self.times += 1
        return super().__contains__(one)


def test_many_rows_of_one_id_are_not_counted_through_for_each_of_them(tmp_path: Path) -> None:
    path, seen = tmp_path / "rows.jsonl", Looked()
    path.write_text(lines(*({"id": "x", "text": f"{n}", "label": "中立"} for n in range(300))), encoding="utf-8")
    found = read_rows(path, definition(), seen=seen)
    assert [row.id for row in found.rows[:3]] == ["x", "x~2", "x~3"]
    assert len({row.id for row in found.rows}) == 300
    assert seen.times < 5 * 300


def test_a_file_of_many_lists_is_parsed_as_a_whole_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[Path] = []
    monkeypatch.setattr("tools.reading.rows._whole_array", tries.append)
    found = read(tmp_path, "\n" + "[1, 2]\n" * 50 + lines({"text": "一", "label": "中立"}))
    assert (len(found.rows), len(tries)) == (1, 1)
