"""Chat turns as the exact text a model reads, and the text it should write, ending included.

Training and evaluation both render through here, so a model is asked exactly as it was trained.
"""

from __future__ import annotations

from typing import Any

from tools.errors import InputError
from tools.text import T, visible

DEFAULT_TEMPLATE = (
    "{{ bos_token if bos_token else '' }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}"
    "{% elif message['role'] == 'user' %}{{ '### Input:\\n' + message['content'] + '\\n\\n' }}"
    "{% else %}{{ '### Answer:\\n' + message['content'] + eos_token }}"
    "{% if not loop.last %}{{ '\\n\\n' }}{% endif %}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Answer:\\n' }}{% endif %}"
)
"""For base models, which come without a template: plain headings that every tokenizer knows, and the end-of-text token as
the end of an answer. No special turn tokens, because a base model never learned theirs and LoRA leaves embeddings as they are.
"""


def ensure_template(tokenizer: Any) -> bool:
    """Give the tokenizer the default template if it has none, and a padding token; True when the template was given."""
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.chat_template:
        return False
    tokenizer.chat_template = DEFAULT_TEMPLATE
    return True


def prompt_text(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    """The turns before the answer, up to where the model starts to write; raises InputError for turns it cannot express."""
    try:
        return _apply(tokenizer, messages, generate=True)
    except Exception as reason:  # templates raise their own errors, mostly for a system turn
        merged = _merge_system(messages)
        if merged == messages:
            raise InputError(
                T("The model's chat template refuses these turns: {reason}", reason=visible(str(reason), 200)),
                page="troubleshooting/output-format",
            ) from reason
        return prompt_text(tokenizer, merged)


def completion_text(tokenizer: Any, messages: list[dict[str, str]], answer: str) -> str:
    """The answer and the mark that ends the turn, without line breaks that a template puts after it."""
    prompt = prompt_text(tokenizer, messages)
    for turns in (messages, _merge_system(messages)):
        try:
            whole = _apply(tokenizer, [*turns, {"role": "assistant", "content": answer}], generate=False)
        except Exception:
            continue
        if whole.startswith(prompt) and answer in whole[len(prompt) :]:
            return whole[len(prompt) :].rstrip("\n")
    return answer + (tokenizer.eos_token or "")


def _apply(tokenizer: Any, messages: list[dict[str, str]], *, generate: bool) -> str:
    # Templates of reasoning models write an empty thought when told so; others ignore the word.
    text = tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=generate, enable_thinking=False
    )
    return str(text)


def _merge_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """The system text at the head of the first user turn, for templates that know no system turn."""
    if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
        return messages
    first = {"role": "user", "content": messages[0]["content"] + "\n\n" + messages[1]["content"]}
    return [first, *messages[2:]]
