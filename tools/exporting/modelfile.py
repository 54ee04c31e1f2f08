"""An Ollama Modelfile that asks a version exactly as it was trained: template, stop tokens, greedy decoding."""

from __future__ import annotations

from tools.errors import InputError
from tools.text import T
from tools.training.errands import Asked

_QUOTES = '"""'


def modelfile(source: str, asked: Asked, prompt: str, title: str) -> str:
    """The text of a Modelfile; `source` is the weights beside it, `prompt` the user's turn with open fields.

    Raises InputError for a template that the format cannot hold.
    """
    template = _literal(asked.before) + "{{ .Prompt }}" + _literal(asked.after) + "{{ .Response }}"
    if _QUOTES in template:
        raise InputError(T("The chat template holds three quotes in a row, which a Modelfile cannot say."))
    lines = [
        f"# {title}",
        "# Send this as the prompt, with the fields in braces filled in:",
        *(f"#   {line}" for line in prompt.splitlines()),
        f"FROM {source}",
        f"TEMPLATE {_QUOTES}{template}{_QUOTES}",
        *(f'PARAMETER stop "{_escaped(token)}"' for token in asked.stop),
        "PARAMETER temperature 0",
        "PARAMETER repeat_penalty 1.0",  # the usual 1.1 would change greedy answers
        f"PARAMETER num_predict {asked.max_new_tokens}",
    ]
    return "\n".join(lines) + "\n"


def _literal(text: str) -> str:
    """Text that a Go template writes as it is. The start-of-text token is left to the runtime, which adds it itself."""
    return text.replace("{{", '{{ "{{" }}')


def _escaped(token: str) -> str:
    return token.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
