"""Typed text in the one form in which it is compared: width, case, spaces and words that carry nothing taken out.

Meaning is not touched here. Case is folded character by character, so that places in the folded text are places in the
text as typed.
"""

from __future__ import annotations

import re
import unicodedata

CHINESE = r"\u3400-\u9fff\uf900-\ufaff"
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u300c": '"', "\u300d": '"'})

NUMERALS = {"零": 0, "一": 1, "二": 2, "兩": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

_EXPANDED = (
    (r"\b(what|how|where|who|let)'?s\b", r"\1 is"),
    (r"\blet is\b", ""),
    (r"\bwhich is wrong\b", "what is wrong"),
    (r"\bdon'?t\b", "do not"),
)
_FILLERS = re.compile(
    r"\b(?:please|pls|kindly|(?:can|could|would|will) (?:you|we|i)|i(?: would|'d)? (?:want|like|need) to|let us|help me(?= \w)"
    r"|just|(?:right )?now|currently|the|an?|my|our|me|so|very|really|actually|hey|hi|ok(?:ay)?|all|also|then|here|there"
    r"|did you|do you|did|does|do i have|thanks|thank you)\b"
    r"|請問|請|麻煩|幫我|幫忙|我想要|我想|我要|我的|想要|可以|能不能|能否|一下|給我|讓我|你|吧|嗎|呢|啊|喔|呀|的|了|那麼|這麼|目前|現在",
    re.ASCII,
)
_PUNCTUATION = re.compile(r"[?!.,;:~\"'`()\[\]。，、；？！：…《》〈〉*_]+")


def plain(text: str) -> str:
    """One line, full-width forms and quotes made plain, spaces collapsed; case is kept."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_QUOTES).split())


def fold(text: str) -> str:
    """Lower case, with as many characters as before."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def squeeze(folded: str) -> str:
    """What is left for comparing: no punctuation, no words that carry nothing, single spaces."""
    text = folded
    for pattern, instead in _EXPANDED:
        text = re.sub(pattern, instead, text, flags=re.ASCII)
    bare = " ".join(_PUNCTUATION.sub(" ", _FILLERS.sub(" ", text)).split())
    return bare or " ".join(_PUNCTUATION.sub(" ", text).split())


def unspaced(text: str) -> str:
    """Without any space: many people type Chinese and English without them."""
    return text.replace(" ", "")


def numeral(word: str) -> int | None:
    """12, 十二, two or second as a number; None for anything else."""
    if word.isascii() and word.isdigit():
        return int(word)
    for names in (_WORDS, _ORDINALS):
        if word in names:
            return names.index(word) + 1
    return _chinese(word)


def _chinese(word: str) -> int | None:
    """Numbers below one hundred: 七, 十一, 三十, 二十五."""
    if not word or any(char not in NUMERALS for char in word):
        return None
    if "十" not in word:
        return NUMERALS[word] if len(word) == 1 else None
    tens, _, ones = word.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return None
    return (NUMERALS[tens] if tens else 1) * 10 + (NUMERALS[ones] if ones else 0)


NUMBER_WORD = rf"(?:\d{{1,2}}(?!\d)|[一二兩三四五六七八九十]{{1,3}}|\b(?:{'|'.join((*_WORDS, *_ORDINALS))})\b)"
"""A small number in digits or in words."""
