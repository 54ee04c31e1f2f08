"""A change in people's words: "learning rate 2e-4", 「把學習率改成 2e-4」, "oversampling", 「提高 rank」.

A change is {"edits": [[dotted key, value], ...]}, or {"remedy": name} where the values follow from the task
(agent/conversation/remedies.py). Whether a key exists and a value fits is checked later, by agent/conversation/wishes.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from pydantic import JsonValue
from rapidfuzz import fuzz

from agent.conversation.wording import fold, plain
from tools.reading.config_keys import all_keys

_KEYS: dict[str, str] = {
    "training.learning_rate": r"learning[ _-]?rates?|\blr\b|學習率|學習速率",
    "training.epochs": r"(?:training )?\bepochs?\b|訓練輪數|輪數|訓練回合|輪(?!廓)",
    "lora.r": r"(?:lora[ _-]?)?\brank\b|\blora[ _]r\b|\br(?=[ =:]*\d)|(?:lora ?的?)?秩",
    "lora.alpha": r"(?:lora[ _-]?)?\balpha\b",
    "lora.dropout": r"(?:lora[ _-]?)?\bdropout\b|丟棄率",
    "training.batch_size": r"batch[ _-]?sizes?|批次大小|批次|批量",
    "training.max_length": r"max[ _-]?(?:seq(?:uence)?[ _-]?)?len(?:gth)?|最大長度|最長長度",
    "training.warmup": r"warm-?up(?:[ _]ratio)?|暖身|預熱",
    "training.weight_decay": r"weight[ _-]?decay|權重衰減",
    "training.seed": r"\bseed\b|種子",
    "training.evals_per_epoch": r"evals[ _]per[ _]epoch",
    "training.early_stopping": r"early[ _-]?stopping|提早停止|早停",
    "decoding.max_new_tokens": r"max[ _-]?new[ _-]?tokens",
}
"""Dotted key to the ways people write it, in folded text."""

_REMEDIES: dict[str, str] = {
    "oversampling": r"over-? ?sampl\w*|up-?sampl\w*|過採樣|過取樣|超採樣|重複(?:取樣|採樣|資料|樣本)|複製資料",
    "class_weights": r"(?:class|label)[ -]?weight(?:s|ing)?\b|weight(?:ed|ing)(?: loss| the class(?:es)?)?|re-?weight\w*"
    r"|類別加權|類別權重|標籤權重|加權|(?<!類別)權重(?!衰減)",
    "deduplicate": r"de-?dup\w*(?: (?:the )?(?:data|rows|training data))?|remov\w+ (?:the )?duplicates?"
    r"|去除?重複(?:資料)?|刪(?:除|掉)重複(?:資料)?|去重",
    "constrained": r"constrain\w*(?: (?:decoding|outputs?|the outputs?))?|限制(?:解碼|輸出)|約束(?:解碼|輸出)",
    "larger_model": r"(?:a )?(?:bigger|larger) (?:base )?model|upgrad\w+ the (?:base )?model"
    r"|換?(?:個)?更?大(?:一點)?的?(?:基礎)?模型|升級(?:基礎)?模型",
    "more_data": r"(?:add\w* |generat\w* |write |writing )?(?:more|new|synthetic) (?:training )?(?:data|rows|examples)"
    r"|generat\w* (?:data|rows)|(?:更多|增加|生成|多一?點)(?:訓練)?資料|資料生成|資料增強",
    "examples": r"few-?shot(?: (?:examples|prompt(?:ing)?))?|examples in the prompt|少樣本(?:提示)?"
    r"|(?:在?提示詞?(?:裡|中)?)?(?:放|加上?|附上?)範例",
    "mixture": r"(?:a )?mixture of experts|\bmoe\b|混合專家(?:模型)?|專家混合(?:模型)?",
    "suspects": r"(?:settle|relabel|remove|fix|clean) (?:the )?(?:suspects?|suspicious|wrong|noisy)(?: (?:labels|rows))?"
    r"|(?:修正|清理|改正|移除)(?:可疑|錯誤|有雜訊)的?(?:標籤|標註|資料)",
    "labelling": r"label (?:more |some )?(?:rows|data)|(?:人工)?標註(?:更多|一些|新)(?:的)?資料",
    "dpo": r"\bdpo\b",
    "orpo": r"\borpo\b",
    "kto": r"\bkto\b",
}
_TEXTS: dict[str, str] = {
    "prompt.system": r"system (?:prompt|text|message)|系統(?:提示詞?|訊息)",
    "prompt.template": r"(?:prompt |input )?template|(?:提示詞?|輸入)?(?:模板|範本)",
}
"""Keys that hold a text, which people put between quotes."""
_QUOTED = r"\"[^\"]+\"|「[^」]+」"
_LONG_WORDS = {"oversampling": "oversampling", "oversample": "oversampling", "deduplicate": "deduplicate"}
"""Words that are recognised when misspelt."""
_SAME_WORD = 84
DIRECTED = {
    "training.learning_rate": "learning_rate",
    "training.epochs": "epochs",
    "lora.r": "rank",
    "lora.dropout": "dropout",
    "training.warmup": "warmup",
    "training.max_length": "max_length",
    "training.batch_size": "batch_size",
}
"""Keys of which more or less can be asked for, with their names in remedies such as rank_up."""

_DIGITS = r"(?P<value>[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?%?)"
_VALUE = rf"{_DIGITS}(?![a-z0-9_.])"
_LINK = (
    r"(?:[ =:,]|\bto\b|\bof\b|\bat\b|\bis\b|\bas\b|\bwere\b|\bwas\b|\bbe\b|\binto\b|\bfrom [\d.e-]+ to\b|從 ?[\d.e-]+ ?"
    r"|改成|改為|改到|設定?[成為到]|調整?[成到為]|調[高低][到成為至]|提[高升][到成為至]|[升降][低高]?[到成為至]|增加[到成為至]"
    r"|減少?[到成為至]|變成|換成|改|用|為|是|到|成)*"
)
_UP = (
    r"(?:higher|increas\w+|rais\w+|bigger|larger|more|longer|greater"
    r"|提高|增加|調高|加大|加長|更高的|更多的?|更大的|多訓練幾|多一點)"
)
_DOWN = r"(?:lower|decreas\w+|reduc\w+|smaller|fewer|less|shorter|降低|減少|調低|調小|更低的|更少的?|更小的|少一點)"
_UP_AFTER = r"(?:提高|增加|調高|加大|高一點|大一點|多一點|更高|更大)"
_DOWN_AFTER = r"(?:降低|減少|調低|低一點|小一點|少一點|更低|更小)"


class Found(NamedTuple):
    """A change and where it stands in the text."""

    start: int
    end: int
    change: dict[str, JsonValue]


def find_change(typed: str, labels: Iterable[str]) -> Found | None:
    """The change in a line: every key with its value, else the first remedy or direction; None without any."""
    text = fold(typed)
    edits = sorted([*_edits(text, labels), *_by_field(text, typed)], key=lambda one: one[0])
    if edits:
        taken: list[tuple[int, int, str, JsonValue]] = []
        for one in edits:
            if not taken or one[0] >= taken[-1][1]:
                taken.append(one)
        change: dict[str, JsonValue] = {"edits": [[key, value] for _, _, key, value in taken]}
        return Found(taken[0][0], taken[-1][1], change)
    remedies = sorted(_remedies(text), key=lambda one: (one.start, -one.end))
    return remedies[0] if remedies else None


def read_change(rest: str, labels: Iterable[str]) -> dict[str, JsonValue] | None:
    """The change after a slash command: also `key value` and `key=value` with any key; None when there is no value."""
    line = plain(rest)
    # A text between quotes is meant as it stands, full-width signs included.
    found = find_change(" ".join(rest.split()) if re.search(_QUOTED, rest) else line, labels)
    if found is not None:
        return found.change
    pair = re.fullmatch(r"([A-Za-z_][\w.\u3400-\u9fff-]*)(?:\s*[=:]\s*|\s+(?:to\s+)?)(\S.*)", line)
    return {"edits": [[pair[1], _any_value(pair[2])]]} if pair else None


def _edits(text: str, labels: Iterable[str]) -> Iterator[tuple[int, int, str, JsonValue]]:
    for key, before, after in _key_patterns():
        found = [*before.finditer(text)] or [*after.finditer(text)]
        for match in found:
            yield match.start(), match.end(), key, _number(match["value"])
    for label in labels:
        for key, pattern in _label_patterns(fold(label)):
            for match in pattern.finditer(text):
                yield match.start(), match.end(), f"{key}.{label}", _number(match["value"])


def _by_field(text: str, typed: str) -> Iterator[tuple[int, int, str, JsonValue]]:
    """Any key by the name it has in the file, with its value as it was typed: base_model=Qwen/Qwen3-1.7B."""
    for match in _field_pattern().finditer(text):
        key = typed[match.start("key") : match.end("key")] if match["label"] else match["key"]
        yield match.start(), match.end(), key, _any_value(typed[match.start("value") : match.end("value")])
    for key, pattern in _text_patterns():
        for match in pattern.finditer(text):
            yield match.start(), match.end(), key, typed[match.start("value") + 1 : match.end("value") - 1]


@cache
def _field_pattern() -> re.Pattern[str]:
    names = [key for dotted in all_keys() for key in (dotted, dotted.partition(".")[2]) if "_" in key or "." in key]
    listed = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    value = rf"\[[^\]]*\]|{{[^}}]*}}|{_QUOTED}|[^\s,]+"
    return re.compile(
        rf"(?<![\w.])(?P<key>(?:{listed})(?P<label>\.[^\s=:,]+)?)(?: ?[=:] ?| (?:to )?)(?P<value>{value})", re.A
    )


@cache
def _text_patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(key, re.compile(rf"(?:{names}){_LINK}(?P<value>{_QUOTED})", re.A)) for key, names in _TEXTS.items()]


@cache
def _key_patterns() -> list[tuple[str, re.Pattern[str], re.Pattern[str]]]:
    return [
        (
            key,
            re.compile(rf"(?:{names}){_LINK}{_VALUE}", re.A),
            re.compile(rf"{_DIGITS} ?(?:個|of)? ?(?:{names})", re.A),
        )
        for key, names in _KEYS.items()
    ]


@cache
def _label_patterns(label: str) -> list[tuple[str, re.Pattern[str]]]:
    name = re.escape(label)
    weight = r"(?:class |label |類別|標籤)?(?:weights?|權重|加權)"
    return [
        ("training.class_weights", re.compile(rf"{weight} ?(?:of|for|on)? ?{name}{_LINK}{_VALUE}", re.A)),
        ("training.class_weights", re.compile(rf"{name} ?(?:的|'s)? ?{weight}{_LINK}{_VALUE}", re.A)),
        ("data.oversample", re.compile(rf"(?:oversample|過採樣) ?{name}{_LINK}{_VALUE}", re.A)),
        ("data.oversample", re.compile(rf"{name} ?(?:過採樣){_LINK}{_VALUE}", re.A)),
    ]


def _remedies(text: str) -> Iterator[Found]:
    for name, pattern in _named_patterns():
        match = pattern.search(text)
        if match is not None:
            yield Found(match.start(), match.end(), {"remedy": name})
    for match in re.finditer(r"[a-z]{8,}", text):
        near = next((name for word, name in _LONG_WORDS.items() if fuzz.ratio(match[0], word) >= _SAME_WORD), None)
        if near is not None:
            yield Found(match.start(), match.end(), {"remedy": near})


@cache
def _named_patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Remedies by name, and more or less of a key: rank_up, epochs_down."""
    patterns = list(_REMEDIES.items())
    for key, name in DIRECTED.items():
        names = f"(?:{_KEYS[key]})"
        patterns.append((f"{name}_up", rf"{_UP} ?(?:the |a )?{names}|{names} ?{_UP_AFTER}"))
        patterns.append((f"{name}_down", rf"{_DOWN} ?(?:the |a )?{names}|{names} ?{_DOWN_AFTER}"))
    return [(name, re.compile(pattern, re.A)) for name, pattern in patterns]


def _number(text: str) -> JsonValue:
    """2e-4, 64 and 10% as numbers; whole numbers stay whole."""
    if text.endswith("%"):
        return float(text[:-1]) / 100
    return float(text) if any(char in text for char in ".e") else int(text)


def _any_value(text: str) -> JsonValue:
    """JSON if it is, a list of words between brackets, else the words themselves."""
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        if text.startswith("[") and text.endswith("]"):
            return [word.strip() for word in text[1:-1].split(",") if word.strip()]
        return text[1:-1] if text.startswith("「") and text.endswith("」") else text
    return value
