"""`iterate report`: the morning report of a night on the terminal, as Markdown in a pipe, as a file, or as JSON."""

from __future__ import annotations

from pathlib import Path

from agent.faces.console import ask, interactive, out, tell
from agent.faces.layout import aligned, wrap
from agent.faces.views.report import night_lines, report_lines
from agent.overnight.records import NightRecord
from agent.overnight.reporting.facts import night_facts
from agent.overnight.reporting.html import html
from agent.overnight.reporting.markdown import markdown
from agent.overnight.reporting.nights import find_night, line_up, nights
from agent.overnight.reporting.shapes import WaitingFacts
from tools.errors import InputError
from tools.files import write_atomic
from tools.text import Speaker, T, visible


def show_report(workspace: Path, name: str | None, page: Path | None, say: Speaker) -> None:
    """Print the report of a night; with `page` write it there as HTML and say so instead."""
    facts = night_facts(find_night(workspace, name))
    if page is not None:
        if page.is_dir():
            raise InputError(
                T("{path} is a folder.", path=visible(str(page))), hint=T("Name a file, such as report.html.")
            )
        write_atomic(page, html(facts, say))
        tell(say(T("Written: {path}", path=visible(str(page)))))
        return
    lines = report_lines(facts, say) if interactive() else aligned(markdown(facts, say)).splitlines()
    for line in lines:
        out(line)


def list_nights(workspace: Path, say: Speaker) -> None:
    """Print one line for each night."""
    found = [line_up(record) for record in nights(workspace)]
    for line in night_lines(found, say) if found else wrap(say(T("No night is on record in this workspace."))):
        out(line)


def read_and_choose(record: NightRecord, say: Speaker) -> WaitingFacts | None:
    """Print a report in the chat and ask which decision to take up; None for none."""
    facts = night_facts(record)
    for line in report_lines(facts, say):
        out(line)
    if not facts.open or not interactive():
        return None
    typed = ask(say(T("Number of the decision to take up (Enter for none): ")))
    chosen = next((one for one in facts.open if typed is not None and typed.strip() == str(one.number)), None)
    if chosen is None and typed and typed.strip():
        tell(say(T("No decision of that number waits; nothing was done.")))
    return chosen
