"""A new task, asked for one question at a time; then everything once more, to change or to confirm.

It writes only when the summary's last line was chosen and the question after it answered with yes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Input, OptionList, TextArea
from textual.widgets.option_list import Option

from agent.conversation.creating import Asked, Interview
from agent.conversation.defining import DEFINABLE, suggested
from agent.faces.layout import clip
from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.screens.trouble import trouble
from agent.faces.tui.widgets.flow import Prose
from agent.faces.tui.widgets.key_bar import Hint, KeyBar
from agent.faces.tui.widgets.plain_text import PlainText
from agent.model.client import ChatModel
from tools.errors import IterateError
from tools.text import Speaker, T, visible

LINE: tuple[Hint, ...] = (("Enter", T("next")), ("Esc", T("back")), ("Tab", T("next part")))
LIST: tuple[Hint, ...] = (("Enter", T("choose")), ("↑ ↓", T("other choice")), ("Esc", T("back")))
LINES: tuple[Hint, ...] = (("Tab Enter", T("next")), ("Enter", T("new line")), ("Esc", T("back")))
SUMMARY: tuple[Hint, ...] = (("Enter", T("change, or make it")), ("↑ ↓", T("other line")), ("Esc", T("back")))
_SUMMARY_CELLS = 70


class CreateScreen(Screen[Path | None]):
    """Closes with the folder that was made, or with None."""

    CSS = """
    CreateScreen #title { padding: 0 1; text-style: bold; background: $surface; }
    CreateScreen #form { height: 1fr; padding: 1 2; overflow-y: auto; }
    CreateScreen #question { text-style: bold; }
    CreateScreen #help { color: $text-muted; margin-bottom: 1; }
    CreateScreen OptionList, CreateScreen OptionList:focus {
        height: auto; max-height: 14; border: none; padding: 0; background: transparent;
    }
    CreateScreen Input { margin-top: 1; }
    CreateScreen TextArea { height: 9; }
    CreateScreen #problem { color: $text-error; margin-top: 1; }
    CreateScreen .buttons { margin: 0; padding: 0 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", show=False)]

    def __init__(
        self, interview: Interview, make: Callable[[Interview], Path], say: Speaker, model: ChatModel | None = None
    ) -> None:
        super().__init__()
        self._interview = interview
        self._make = make
        self._say = say
        self._model = model

    def compose(self) -> ComposeResult:
        """The question, what it may be answered with, what is wrong, and the ways on, back and out."""
        yield PlainText(id="title")
        with Vertical(id="form"):
            for name in ("question", "help"):
                prose = Prose("")
                prose.id = name
                yield prose
            yield OptionList(id="choices", markup=False)
            yield Input(id="line")
            yield TextArea(id="lines", soft_wrap=True, show_line_numbers=False)
            problem = Prose("")
            problem.id = "problem"
            yield problem
        with Horizontal(classes="buttons"):
            for name, text in (
                ("next", T("Next")),
                ("suggest", T("Suggest meanings")),
                ("back", T("Back (Esc)")),
                ("cancel", T("Cancel")),
            ):
                yield Button(Content(self._say(text)), id=name, compact=True)
        yield KeyBar(self._say)

    def on_mount(self) -> None:
        """Ask the first question."""
        self._ask()

    # --- showing

    def _ask(self) -> None:
        """Show the question that is due, or the summary."""
        asked = self._interview.asked
        self._tell("")
        if asked is None:
            self._summary()
            return
        number, of = self._interview.place
        title = T("New task: question {number} of {of}", number=number, of=of)
        self._head(self._say(title), self._say(asked.question), self._say(asked.help))
        self._parts(choices=bool(asked.choices), line=asked.free or not (asked.choices or asked.many), lines=asked.many)
        self.query_one("#suggest").display = asked.key in DEFINABLE and self._model is not None
        self._fill(asked)

    def _fill(self, asked: Asked) -> None:
        values = [value for value, _ in asked.choices]
        options = [f"{value}: {self._say(means)}" for value, means in asked.choices]
        self._options(options, values.index(asked.now) if asked.now in values else 0)
        self.query_one("#line", Input).value = "" if asked.choices else asked.now
        self.query_one("#lines", TextArea).text = asked.now if asked.many else ""
        own = asked.free and asked.now not in values
        if own:
            self.query_one("#line", Input).value = asked.now
        name = "#lines" if asked.many else "#choices" if asked.choices and not own else "#line"
        self.query_one(KeyBar).show(LINES if asked.many else LIST if name == "#choices" else LINE)
        self.query_one(name).focus()

    def _summary(self) -> None:
        self._head(
            self._say(T("New task: everything once more")),
            self._say(T("This is the task that will be made:")),
            self._say(T("Choose a line to change it; the last one makes the task.")),
        )
        self._parts(choices=True, line=False, lines=False)
        self.query_one("#suggest").display = False
        told = [self._told(asked, answer) for asked, answer in self._interview.summary()]
        self._options([*told, self._say(T("Make this task…"))], len(told))
        self.query_one(KeyBar).show(SUMMARY)
        self.query_one("#choices").focus()

    def _told(self, asked: Asked, answer: str) -> str:
        return clip(f"{self._say(asked.title)}: {visible(' / '.join(answer.splitlines()))}", _SUMMARY_CELLS)

    def _head(self, title: str, question: str, about: str) -> None:
        self.query_one("#title", PlainText).show(title)
        self.query_one("#question", Prose).show(question)
        self.query_one("#help", Prose).show(about)

    def _parts(self, *, choices: bool, line: bool, lines: bool) -> None:
        self.query_one("#choices").display = choices
        self.query_one("#line").display = line
        self.query_one("#lines").display = lines
        self.query_one("#next").display = lines or line

    def _options(self, texts: list[str], highlighted: int) -> None:
        options = self.query_one("#choices", OptionList)
        options.clear_options()
        options.add_options([Option(visible(text)) for text in texts])
        options.highlighted = highlighted if texts else None

    def _tell(self, text: str) -> None:
        self.query_one("#problem", Prose).show(text)

    # --- answering

    @on(OptionList.OptionSelected, "#choices")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        asked = self._interview.asked
        if asked is not None:
            self._answer(asked.choices[event.option_index][0])
        elif self._interview.go(event.option_index + 1):
            self._ask()
        else:
            self._confirm()

    @on(Input.Submitted, "#line")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._answer(event.value)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        match event.button.id:
            case "cancel":
                self.dismiss(None)
            case "back":
                self.action_back()
            case "suggest":
                self._suggest(self.query_one("#lines", TextArea).text)
            case _:
                many = self.query_one("#lines").display
                self._answer(self.query_one("#lines", TextArea).text if many else self.query_one("#line", Input).value)

    def _answer(self, text: str) -> None:
        try:
            self._interview.answer(text)
        except IterateError as error:
            self._tell(trouble(error, self._say))
        else:
            self._ask()

    def action_back(self) -> None:
        """The question before; from the first one back to the chat."""
        if self._interview.back():
            self._ask()
        else:
            self.dismiss(None)

    @work(exclusive=True, group="create")
    async def _confirm(self) -> None:
        name = self._interview.answers["name"]
        folder = visible(str(self._interview.tasks_dir))
        question = T("Make the task {name} in {folder}? Nothing is trained by it.", name=name, folder=folder)
        if not await self.app.push_screen_wait(ConfirmScreen(question, self._say)):
            return
        try:
            path = self._make(self._interview)
        except IterateError as error:
            self._tell(trouble(error, self._say))
        else:
            self.dismiss(path)

    def _suggest(self, text: str) -> None:
        asked = self._interview.asked
        if asked is not None and self._model is not None:
            self._tell(self._say(T("Asking the language model…")))
            self._word(self._model, asked.key, text)

    @work(thread=True, exclusive=True, group="create-words")
    def _word(self, model: ChatModel, key: str, text: str) -> None:
        try:
            found = suggested(model, self._interview, key, text)
        except IterateError as error:
            self.app.call_from_thread(self._tell, trouble(error, self._say))
        else:
            self.app.call_from_thread(self._worded, key, text, found)

    def _worded(self, key: str, before: str, text: str) -> None:
        """Put the suggestion into the box, unless the person went on or typed meanwhile."""
        asked = self._interview.asked
        box = self.query_one("#lines", TextArea)
        if asked is not None and asked.key == key and box.text == before:
            box.text = text
            self._tell(self._say(T("The language model suggests this. Change what is not right; Next takes it.")))
