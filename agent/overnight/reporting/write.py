"""The report beside the record of its night: report.md and report.html, replaced whole each time."""

from __future__ import annotations

from pathlib import Path

from agent.overnight.records import NightRecord
from agent.overnight.reporting.facts import night_facts
from agent.overnight.reporting.html import html
from agent.overnight.reporting.markdown import markdown
from tools.files import write_atomic
from tools.text import Speaker

FILES = ("report.md", "report.html")
"""In the order in which they are written."""


def has_report(record: NightRecord) -> bool:
    """True once both files are there."""
    return (record.folder / FILES[-1]).is_file()


def write_report(record: NightRecord, say: Speaker) -> tuple[Path, Path]:
    """Write both files and return where they are; a night that is not over gets the report of what is known so far."""
    facts = night_facts(record)
    files = record.folder / FILES[0], record.folder / FILES[1]
    write_atomic(files[0], markdown(facts, say))
    write_atomic(files[1], html(facts, say))
    return files
