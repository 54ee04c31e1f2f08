from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML

from agent.cli import app
from agent.library import Library
from agent.policy import Policy
from tools.config import TrainingConfig
from tools.evidence.thresholds import read_thresholds
from tools.outcomes.result_origins import answered_splits
from tools.preference.pairs import Pair

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("en", "zh-TW")
TROUBLESHOOTING = """
    class-imbalance underfitting overfitting output-format low-accuracy unstable-training label-noise data-leak truncation
    small-data configuration results-files broken-files installation sessions-and-locks
    language-model repair-workspace
"""
METHODS = """
    comparison sft lora orpo dpo kto class-weights oversampling data-generation model-upgrade decoding comparing-versions
    locked-test labelling quick-check prompting overnight
"""
EXPECTED_IDS = {f"troubleshooting/{name}" for name in TROUBLESHOOTING.split()} | {
    f"methods/{name}" for name in METHODS.split()
}
PAGES = [(page_id, language) for page_id in sorted(EXPECTED_IDS) for language in LANGUAGES]
each_page = pytest.mark.parametrize(("page_id", "language"), PAGES)
each_id = pytest.mark.parametrize("page_id", sorted(EXPECTED_IDS))

PAGE_LITERAL = re.compile(r"""["'](?:references/)?((?:troubleshooting|methods)/[a-z][a-z0-9-]*)(?:\.md)?["']""")
MARKDOWN_LINK = re.compile(r"\]\(([^)]+)\)")
CODE_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
CHINESE = re.compile(r"[\u3400-\u9fff]")
MAINLAND_WORDS = """
    數據 默認 信息 視頻 軟件 硬件 服務器 內存 代碼 質量 缺省 激活函數 設置 反饋 數組 算法 兼容 調試 接口 線程 字符 適配器
"""


@cache
def library() -> Library:
    return Library(ROOT / "references")


def file_of(page_id: str, language: str) -> Path:
    return ROOT / "references" / f"{page_id}.{language}.md"


def text_of(page_id: str, language: str) -> str:
    return library().read(page_id, language).text


def blocks(text: str, kind: str) -> list[str]:
    return [body for name, body in CODE_BLOCK.findall(text) if name == kind]


def command_lines(text: str) -> list[str]:
    """What a reader could type: lines of shell blocks without comments, and inline code."""
    prose = CODE_BLOCK.sub("", text)
    shell = [line.partition("#")[0].strip() for body in blocks(text, "bash") for line in body.splitlines()]
    candidates = [" ".join(code.split()) for code in [*shell, *INLINE_CODE.findall(prose)]]
    return [line for line in candidates if line.startswith("iterate ")]


def test_every_expected_page_and_no_other_stands_in_the_folder_in_both_languages():
    found = {path.relative_to(ROOT / "references").as_posix() for path in (ROOT / "references").rglob("*.md")}
    assert found == {f"{page_id}.{language}.md" for page_id, language in PAGES}


def test_every_page_id_that_code_names_exists():
    named = {
        (path.relative_to(ROOT).as_posix(), page_id)
        for folder in ("tools", "agent")
        for path in (ROOT / folder).rglob("*.py")
        for page_id in PAGE_LITERAL.findall(path.read_text(encoding="utf-8"))
    }
    assert named, "the pattern finds no page in the code"
    assert sorted(entry for entry in named if entry[1] not in EXPECTED_IDS) == []


def test_every_trainable_method_name_has_a_page_because_errors_build_its_id_from_the_name():
    methods = TrainingConfig.model_fields["training"].annotation.model_fields["method"].annotation.__args__
    assert {f"methods/{method}" for method in methods} <= EXPECTED_IDS


@each_page
def test_front_matter_is_complete_and_fits_the_file(page_id, language):
    card = library().read(page_id, language).card
    assert (card.id, card.language) == (page_id, language)
    assert card.title.strip()
    assert len(card.symptoms) >= 3
    assert all(symptom.strip() for symptom in card.symptoms)
    assert card.tools
    assert card.when_to_read.rstrip().endswith((".", "。"))
    assert page_id not in card.related
    assert set(card.related) <= EXPECTED_IDS
    assert card.related


@each_id
def test_both_languages_agree_on_ids_tools_structure_and_configuration(page_id):
    english, chinese = (library().read(page_id, language) for language in LANGUAGES)
    assert english.card.related == chinese.card.related
    assert english.card.tools == chinese.card.tools
    assert [line.count("#") for line in english.text.splitlines() if line.startswith("#")][:1] == [1]
    headings = [len(re.findall(r"^## ", page.text, re.MULTILINE)) for page in (english, chinese)]
    assert headings == [5, 5]
    kinds = [[kind for kind, _ in CODE_BLOCK.findall(page.text)] for page in (english, chinese)]
    assert kinds[0] == kinds[1]
    assert blocks(english.text, "yaml") == blocks(chinese.text, "yaml")
    assert set(command_lines(english.text)) == set(command_lines(chinese.text))
    assert english.text.count("\n- ") - chinese.text.count("\n- ") in range(-2, 3)


@each_page
def test_a_page_is_neither_empty_nor_too_long(page_id, language):
    lines = file_of(page_id, language).read_text(encoding="utf-8").splitlines()
    assert 50 <= len(lines) <= 110
    assert max(map(len, lines)) <= 260
    assert text_of(page_id, language).startswith("# " + library().read(page_id, language).card.title)


@each_page
def test_links_lead_to_pages_in_the_same_language(page_id, language):
    folder = file_of(page_id, language).parent
    for link in MARKDOWN_LINK.findall(text_of(page_id, language)):
        assert link.endswith(f".{language}.md"), link
        assert (folder / link).is_file(), link


@each_page
def test_every_command_and_option_on_a_page_exists_in_the_command_line(page_id, language):
    lines = command_lines(text_of(page_id, language))
    assert lines
    wrong = [line for line in lines if not understood(line.split()[1:])]
    assert wrong == []


def understood(words: list[str]) -> bool:
    group = typer.main.get_command(app)
    command = group.commands.get(words[0])
    if command is None:
        return False
    if len(words) > 1 and words[1] in getattr(command, "commands", {}):
        command = command.commands[words[1]]
    known = {option for one in (command, group) for parameter in one.params for option in parameter.opts}
    return all(word in known for word in words if word.startswith("-"))


@each_page
def test_front_matter_tools_are_commands(page_id, language):
    commands = typer.main.get_command(app).commands
    for tool in library().read(page_id, language).card.tools:
        program, _, command = tool.partition(" ")
        assert program == "iterate"
        assert command in commands


@each_page
def test_every_configuration_example_is_a_valid_configuration(page_id, language):
    for body in blocks(text_of(page_id, language), "yaml"):
        first, _, rest = body.partition("\n")
        values = YAML(typ="safe", pure=True).load(rest)
        if first == "# configs/training_config.yaml":
            TrainingConfig.model_validate(values)
        elif first == "# configs/benchmark_config.yaml":
            assert "unknown" not in answered_splits(values).values()
        elif first == "# policy.yaml":
            assert Policy.model_validate(values).approve
        else:
            assert first == "# task_definition.yaml"
            assert read_thresholds(values["diagnosis"])[1] == []


@each_page
def test_keys_that_prose_names_are_keys_of_the_configuration(page_id, language):
    text = CODE_BLOCK.sub("", text_of(page_id, language))
    for code in INLINE_CODE.findall(text):
        match = re.fullmatch(r"(lora|training|data|prompt|decoding|launcher)\.([a-z_]+)(: .*)?", code)
        if match:
            section = TrainingConfig.model_fields[match[1]].annotation
            models = [one for one in (section, *getattr(section, "__args__", ())) if hasattr(one, "model_fields")]
            assert any(match[2] in model.model_fields for model in models), code


@each_page
def test_an_example_uses_a_rate_that_every_yaml_reader_takes_for_a_number(page_id, language):
    for body in blocks(text_of(page_id, language), "yaml"):
        assert not re.search(r":\s*\d+e-?\d+\s*$", body, re.MULTILINE)


@each_page
def test_every_page_names_its_sources(page_id, language):
    sources = text_of(page_id, language).rpartition("\n## ")[2]
    assert re.search(r"arXiv:\d{4}\.\d{4,5}|https://|doi:10\.", sources)


@each_id
def test_both_languages_cite_the_same_works(page_id):
    cited = [
        sorted(set(re.findall(r"arXiv:\d{4}\.\d{4,5}|https://[^\s。；)]+", text_of(page_id, each))))
        for each in LANGUAGES
    ]
    assert cited[0] == cited[1]


@each_id
def test_chinese_pages_are_written_in_traditional_characters_and_the_words_of_taiwan(page_id):
    raw = file_of(page_id, "zh-TW").read_text(encoding="utf-8")
    simplified = sorted({char for char in CHINESE.findall(raw) if not in_big5(char)})
    assert simplified == []
    prose = CODE_BLOCK.sub("", raw)
    assert [word for word in MAINLAND_WORDS.split() if word in prose] == []
    assert len(CHINESE.findall(prose)) > 450


def in_big5(char: str) -> bool:
    """Simplified forms are not in Big5 as Taiwan's Windows has it."""
    try:
        char.encode("cp950")
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("method", ["orpo", "dpo", "kto"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_preference_method_shows_the_lines_that_train_it_and_where_its_pairs_come_from(method, language):
    text = text_of(f"methods/{method}", language)
    recipes = [YAML(typ="safe").load(body) for body in blocks(text, "yaml")]
    [recipe] = [one for one in recipes if one["training"].get("method") == method]
    assert recipe["data"]["preference"]
    assert any(line.startswith("iterate pairs TASK") for line in command_lines(text))
    assert all(Pair.model_validate_json(line).chosen for body in blocks(text, "json") for line in body.splitlines())


@each_page
def test_pages_know_nothing_of_the_machine_they_were_written_on(page_id, language):
    assert not re.search(r"issue #|\bTODO\b", text_of(page_id, language))
