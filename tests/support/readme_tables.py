"""The tables of the README that say what the program says itself: `python -m tests.support.readme_tables` writes them.

<!-- commands -->  every slash command of agent/conversation/commands.py
<!-- keys -->      every key of agent/faces/tui/keys.py
"""

from __future__ import annotations

import re
from pathlib import Path

from agent.conversation.commands import COMMANDS
from agent.faces.tui.keys import KEYS
from agent.i18n import speaker
from tools.text import Speaker

ROOT = Path(__file__).resolve().parents[2]
_SLOT = re.compile(r"{(\w+)}")
_EXAMPLES = {
    "task": "stance",
    "pair": "中立→正面",
    "label": "中立",
    "version": "v1",
    "versions": "v1 v2",
    "numbers": "1",
    "change": "epochs 6",
    "until": "7:00",
    "page": "LoRA",
    "text": "這個提案很好",
}
READMES = {"README.md": "en", "README.zh-TW.md": "zh-TW"}


def tables(language: str) -> dict[str, str]:
    """Name of a table to its Markdown."""
    say = speaker(language)
    return {"commands": _commands(say, language), "keys": _keys(say, language)}


def parts(readme: str) -> dict[str, str]:
    """The tables as they stand in a README."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    return {found[1]: found[2] for found in re.finditer(r"<!-- (\w+) -->\n\n(.*?)\n\n<!-- end -->", text, re.S)}


def write() -> None:
    """Bring both READMEs up to date."""
    for readme, language in READMES.items():
        text = (ROOT / readme).read_text(encoding="utf-8")
        for name, table in tables(language).items():
            text = re.sub(
                rf"(<!-- {name} -->\n\n).*?(\n\n<!-- end -->)",
                lambda found, new=table: found[1] + new + found[2],
                text,
                flags=re.S,
            )
        (ROOT / readme).write_text(text, encoding="utf-8")


def _commands(say: Speaker, language: str) -> str:
    chinese = language == "zh-TW"
    lines = ["| 指令 | 作用 | 也可以說 |" if chinese else "| command | what it does | or say |", "|---|---|---|"]
    for command in COMMANDS:
        names = " ".join(f"`/{name}`" for name in (command.name, *(command.aliases if chinese else ())))
        phrases = [one for one in command.phrases if one.isascii() is not chinese]
        said = next((one for one in phrases if "{" in one), next(iter(phrases), ""))
        example = f"`{_SLOT.sub(_filled, said)}`" if said else ""
        lines.append(f"| {names} | {say(command.summary)} | {example} |")
    return "\n".join(lines)


def _filled(found: re.Match[str]) -> str:
    return _EXAMPLES.get(found[1], found[1])


def _keys(say: Speaker, language: str) -> str:
    head = "| 按鍵 | 作用 |" if language == "zh-TW" else "| key | what it does |"
    return "\n".join([head, "|---|---|", *(f"| {key.shown} | {say(key.summary)} |" for key in KEYS)])


if __name__ == "__main__":
    write()
