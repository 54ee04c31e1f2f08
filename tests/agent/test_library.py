from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.library import Library, Page
from tools.errors import MissingPart, NotFound

ROOT = Path(__file__).resolve().parents[2]

HEAD = """---
id: {id}
title: {title}
symptoms:
  - {symptom}
tools: [iterate diagnose]
when_to_read: {when}
related: []
---
"""


def put(
    root: Path,
    page_id: str,
    language: str = "en",
    *,
    title: str = "A page",
    symptom: str = "odd",
    body: bytes = b"# A\n",
):
    path = root / f"{page_id}.{language}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(HEAD.format(id=page_id, title=title, symptom=symptom, when="Read this.").encode() + body)
    return path


@pytest.fixture(scope="module")
def shipped() -> Library:
    return Library()


def found(library: Library, query: str, language: str = "en", limit: int = 5) -> list[str]:
    return [card.id for card in library.search(query, language, limit)]


def test_the_shipped_pages_are_found_without_naming_a_folder(shipped):
    cards = shipped.index("zh-TW")
    assert len(cards) == 34
    assert {card.language for card in cards} == {"zh-TW"}
    assert {card.section for card in cards} == {"troubleshooting", "methods"}


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("過擬合", "troubleshooting/overfitting"),
        ("overfitting", "troubleshooting/overfitting"),
        ("overfiting", "troubleshooting/overfitting"),
        ("class low", "troubleshooting/class-imbalance"),
        ("類別不平衡", "troubleshooting/class-imbalance"),
        ("中文亂碼", "troubleshooting/broken-files"),
        ("Big5", "troubleshooting/broken-files"),
        ("out of memory", "troubleshooting/installation"),
        ("記憶體不足", "troubleshooting/installation"),
        ("NaN", "troubleshooting/unstable-training"),
        ("JSON parse", "troubleshooting/output-format"),
        ("解析失敗", "troubleshooting/output-format"),
        ("學習率 1e-5", "troubleshooting/configuration"),
        ("lora rank", "methods/lora"),
        ("DPO", "methods/dpo"),
        ("undecided", "methods/comparing-versions"),
        ("封存", "methods/locked-test"),
        ("busy session", "troubleshooting/sessions-and-locks"),
        ("過採樣", "methods/oversampling"),
        ("中立 F1 很低", "troubleshooting/class-imbalance"),
        ("資料不夠", "troubleshooting/small-data"),
        ("warmup_ratio", "troubleshooting/configuration"),
        ("slow", "troubleshooting/installation"),
        ("same text in train and test", "troubleshooting/data-leak"),
    ],
)
def test_a_symptom_in_the_user_s_words_brings_its_page_first(shipped, query, page):
    assert found(shipped, query)[0] == page


def test_results_are_told_in_the_language_asked_for_whatever_the_query_s_language(shipped):
    assert shipped.search("overfitting", "zh-TW", 1)[0].title == "過擬合"
    assert shipped.search("過擬合", "en", 1)[0].title == "Overfitting"


@pytest.mark.parametrize("query", ["", "   ", "？！", "zzzzqqqq", "\x00"])
def test_a_query_that_fits_nothing_brings_nothing(shipped, query):
    assert found(shipped, query) == []


def test_no_more_pages_are_listed_than_asked_for(shipped):
    assert len(found(shipped, "class", limit=2)) == 2
    assert found(shipped, "class", limit=0) == []


@settings(deadline=None, max_examples=60)
@given(query=st.text(max_size=200))
def test_any_query_is_answered_with_existing_pages(query):
    library = Library()
    assert set(found(library, query)) <= set(library.ids)


def test_a_page_comes_without_its_front_matter(shipped):
    page = shipped.read("methods/lora", "zh-TW")
    assert isinstance(page, Page)
    assert page.card.language == "zh-TW"
    assert page.text.startswith("# LoRA")


def test_a_page_without_translation_is_read_and_listed_in_english(tmp_path):
    put(tmp_path, "methods/only", title="Only English")
    library = Library(tmp_path)
    assert library.read("methods/only", "zh-TW").card.language == "en"
    assert [card.title for card in library.index("zh-TW")] == ["Only English"]
    assert found(library, "only english", "zh-TW") == ["methods/only"]


@pytest.mark.parametrize(
    ("language", "title"), [("zh_TW.UTF-8", "中文"), ("zh", "中文"), ("en_US", "English"), ("fr", "English")]
)
def test_locale_names_choose_the_language(tmp_path, language, title):
    put(tmp_path, "methods/both", title="English")
    put(tmp_path, "methods/both", "zh-TW", title="中文")
    assert Library(tmp_path).read("methods/both", language).card.title == title


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("troubleshooting/overfiting", "troubleshooting/overfitting"),
        ("class-imbalanse", "troubleshooting/class-imbalance"),
        ("method/lora", "methods/lora"),
    ],
)
def test_a_misspelt_page_id_is_answered_with_the_nearest_ids(shipped, wrong, near):
    with pytest.raises(NotFound) as error:
        shipped.read(wrong)
    assert wrong in str(error.value.message)
    assert near in str(error.value.hint)


@pytest.mark.parametrize(
    "wrong", ["../../etc/passwd", "methods/../methods/lora", "/etc/passwd", "", "methods/lora.en.md", "\x1b[31m"]
)
def test_an_id_cannot_lead_out_of_the_folder_or_into_the_terminal(shipped, wrong):
    with pytest.raises(NotFound) as error:
        shipped.read(wrong)
    assert "\x1b" not in str(error.value.message)


def test_the_index_does_not_decode_what_stands_below_the_front_matter(tmp_path):
    put(tmp_path, "methods/broken", body=b"\xff\xfe not UTF-8")
    library = Library(tmp_path)
    assert [card.id for card in library.index()] == ["methods/broken"]
    with pytest.raises(MissingPart):
        library.read("methods/broken")


COUNT_READS = """
import sys
from collections import Counter
opened = Counter()
def audit(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".md"):
        opened[str(arguments[0])] += 1
sys.addaudithook(audit)
from agent.library import Library
library = Library()
steps = [len(opened)]
library.ids; steps.append(sum(opened.values()))
library.read("methods/lora", "zh-TW"); steps.append(sum(opened.values()))
library.index("en"); steps.append(sum(opened.values()))
library.index("en"); library.index("en"); steps.append(sum(opened.values()))
library.search("overfitting"); library.search("loss"); steps.append(sum(opened.values()))
print(*steps)
"""


def test_files_are_opened_only_when_needed_and_each_card_once():
    done = subprocess.run([sys.executable, "-c", COUNT_READS], cwd=ROOT, capture_output=True, text=True, check=True)
    # nothing at the start, one page when one is read, 34 cards for an index, nothing again, 34 more in the other language
    assert done.stdout.split() == ["0", "0", "1", "35", "35", "69"]


def test_looking_at_the_library_loads_nothing_heavy():
    code = "import sys; from agent.library import Library; Library().search('loss'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"numpy", "torch", "langgraph", "textual", "scipy", "sklearn"}.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# No front matter\n",
        "---\nid: methods/bad\n",
        "---\nid: [\n---\n# A\n",
        "---\njust words\n---\n# A\n",
        "---\nid: methods/bad\ntitle: T\n---\n# A\n",
        "---\n---\n# A\n",
    ],
)
def test_a_damaged_page_is_named_instead_of_ending_in_a_traceback(tmp_path, content):
    path = tmp_path / "methods" / "bad.en.md"
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    for look in (Library(tmp_path).index, lambda: Library(tmp_path).read("methods/bad")):
        with pytest.raises(MissingPart, match=r"bad\.en\.md"):
            look()


def test_windows_line_ends_are_read_like_any_others(tmp_path):
    path = put(tmp_path, "methods/crlf")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    library = Library(tmp_path)
    assert library.index()[0].title == "A page"
    assert library.read("methods/crlf").text.startswith("# A")


def test_a_folder_without_pages_is_an_empty_library(tmp_path):
    library = Library(tmp_path)
    assert library.index() == []
    assert library.search("loss") == []
    with pytest.raises(NotFound):
        library.read("methods/lora")
