"""What a person meant by rejecting a proposal: keywords of the reason, in English and Chinese.

It only recognises plain wishes (too slow; not this kind of change; rather that one). Anything else still keeps the
rejected change itself from coming back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tools.change import Decision, Proposal, Verb

_SLOW = re.compile(
    r"too (?:slow|expensive|costly|much time)|takes? (?:too|so) long|too long to|"
    r"太慢|太久|太貴|太贵|太耗時|太耗时|太花時間|太花时间|時間太長|时间太长",
    re.IGNORECASE,
)
_NOT_BEFORE = re.compile(
    r"(?:\b(?:no|not|don'?t|never|avoid|without|stop|against|instead of|rather than)\b[^.,;!?]{0,40}"
    r"|(?:不要|不想|不用|不需要|不必|不准|(?<![類类個个特級级區区])[別别]|勿|避免|禁止|停止|反對|反对)[^，。；、,;.]{0,12})$",
    re.IGNORECASE,
)

TOPICS: dict[str, tuple[tuple[str, ...], re.Pattern[str]]] = {
    topic: (path, re.compile(words, re.IGNORECASE))
    for topic, (path, words) in {
        "oversampling": (("data", "oversample"), r"over-?sampl\w*|repeat\w* rows|過採樣|過取樣|过采样|重複樣本"),
        "class_weights": (
            ("training", "class_weights"),
            r"class[ _-]?weights?|weighted loss|(?:類別|类别)?(?:權重|权重)|加權|加权",
        ),
        "learning_rate": (("training", "learning_rate"), r"learning[ _-]?rate|(?<![a-z])lr(?![a-z])|學習率|学习率"),
        "epochs": (("training", "epochs"), r"epochs?|訓練輪|训练轮|輪數|轮数|回合"),
        "warmup": (("training", "warmup"), r"warm-?up|預熱|预热|暖身"),
        "rank": (("lora", "r"), r"(?<![a-z])(?:lora|rank)(?![a-z])|秩"),
        "dropout": (("lora", "dropout"), r"drop-?out"),
        "max_length": (("training", "max_length"), r"max[ _-]?length|最大長度|最大长度"),
        "decoding": (("decoding",), r"decod\w+|constrain\w+|解碼|解码|約束|约束"),
        "prompt": (("prompt",), r"prompts?\b|提示詞|提示词|提示"),
        "deduplicate": (("data", "deduplicate"), r"de-?dup\w*|去重|去除重複"),
        "exclude": (("data", "exclude"), r"exclud\w+|leav\w+ out|drop\w* rows|排除|剔除"),
        "base_model": (
            ("training", "base_model"),
            r"base[ _-]?model|(?:bigger|larger) model|基礎模型|基础模型|[換换]模型|模型升",
        ),
    }.items()
}
"""Topic to the configuration key it is about and the words that name it."""


@dataclass(frozen=True)
class Wishes:
    """What earlier rejections ask of new proposals."""

    unwanted: frozenset[str] = frozenset()
    """Topics that a reason ruled out."""
    preferred: frozenset[str] = frozenset()
    """Topics that a reason named as the better way."""
    minutes: float | None = None
    """A training that takes this long or longer was too slow."""

    def allow(self, proposal: Proposal) -> bool:
        """False for a proposal of an unwanted kind, or one as slow as what was too slow and not asked for by name."""
        if self.minutes is not None and proposal.cost.minutes >= self.minutes and not self.prefer(proposal):
            return False
        return not topics_of(proposal) & self.unwanted

    def prefer(self, proposal: Proposal) -> bool:
        """True for the kind of change that a reason asked for."""
        return bool(topics_of(proposal) & self.preferred)


def wishes_in(decisions: Sequence[tuple[Proposal, Decision]]) -> Wishes:
    """Read the reasons of all rejections, oldest first; a later wish for a topic overrules an earlier one against it."""
    unwanted: set[str] = set()
    preferred: set[str] = set()
    minutes: list[float] = []
    for proposal, decision in decisions:
        if decision.decision is not Verb.reject:
            continue
        against, instead = _named(str(decision.reason), topics_of(proposal))
        unwanted = (unwanted - instead) | against
        preferred = (preferred | instead) - against
        if _SLOW.search(str(decision.reason)) and proposal.cost.minutes > 0:
            minutes.append(proposal.cost.minutes)
    return Wishes(frozenset(unwanted), frozenset(preferred), min(minutes, default=None))


def topics_of(proposal: Proposal) -> set[str]:
    """The topics whose keys a proposal changes."""
    paths = [edit.path for change in proposal.changes for edit in change.edits]
    return {topic for topic, (key, _) in TOPICS.items() if any(path[: len(key)] == key for path in paths)}


def _named(reason: str, own: set[str]) -> tuple[set[str], set[str]]:
    """Topics that the reason speaks against, and topics that it asks for: named, not negated, and not the rejected one."""
    against: set[str] = set()
    instead: set[str] = set()
    for topic, (_, words) in TOPICS.items():
        for match in words.finditer(reason):
            negated = _NOT_BEFORE.search(reason[: match.start()]) is not None
            (against if negated or topic in own else instead).add(topic)
    return against, instead - against
