"""What is wrong with a task: the findings, most important first, each with its evidence and its page."""

from __future__ import annotations

from pathlib import Path

from agent.conversation.answers.telling import SEVERITIES, grid, ids, items, page, para, task_of
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.proposing.now import base_version
from tools.diagnose import DiagnoseArgs, Diagnosis
from tools.diagnose import diagnose as diagnose_tool
from tools.evidence.confusions import ErrorPair
from tools.finding import Finding
from tools.text import T, Text, shell_word

MOST_FINDINGS = 5
_PAGES = 3


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """Say what was found."""
    path = task_of(understood, situation)
    diagnosis = diagnosis_of(path)
    if diagnosis.healthy:
        para(tell, T("Nothing to fix: no rule found a problem. Notes, if any, follow."))
    shown = diagnosis.findings[:MOST_FINDINGS]
    items(tell, [_finding(finding) for finding in shown])
    more = len(diagnosis.findings) - len(shown)
    if more > 0:
        para(tell, T("{count} more: iterate diagnose {task}", count=more, task=shell_word(path.name)))
    if diagnosis.errors:
        pairs = diagnosis.errors.pairs[:MOST_FINDINGS]
        header = [T("Kind of error"), T("Count"), T("Share")]
        grid(tell, header, [_pair(pair, situation) for pair in pairs], T("Main kinds of errors"))
    for page_id in list(dict.fromkeys(finding.page for finding in shown))[:_PAGES]:
        page(tell, page_id, situation)


def diagnosis_of(path: Path) -> Diagnosis:
    """The diagnosis of the version that the next one would start from."""
    return diagnose_tool(DiagnoseArgs(task_dir=path, version=base_version(path, "") or None))


def _finding(finding: Finding) -> Text:
    severity = SEVERITIES[finding.severity]
    text = T("[{severity}] {title}. {detail}", severity=severity, title=finding.title, detail=finding.detail)
    return T("{text} Rows: {rows}.", text=text, rows=ids(finding.rows)) if finding.rows else text


def _pair(pair: ErrorPair, situation: Situation) -> list[str]:
    got = situation.say(T("not parsed")) if pair.predicted is None else pair.predicted
    return [f"{pair.expected} → {got}", str(pair.count), f"{pair.share:.0%}"]
