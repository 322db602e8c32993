"""Built-in hook: tell people how a run went, by a notification block of Prefect's or a webhook.

Refuses a template with a name that it does not know. An address is a secret: it stands in no
error.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from string import Formatter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from prefect.blocks.core import Block
from pydantic import model_validator

from confiture_flows.errors import ConfigError, HookError
from confiture_flows.hooks.builtin._options import HookOptions, read_options
from confiture_flows.hooks.model import HookResult, HookSummary

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.hooks.model import HookContext

DEFAULTS = {"retries": 3, "timeout": 60.0, "direction": "both", "on_failure": "warn"}

_SECONDS = 10.0  # of patience with a webhook
_TEMPLATES = {
    "before_validate": "{target}: a {direction} run begins",
    "before_apply": "{target}: about to run {planned}",
    "after_apply": "{target}: {done} done in {elapsed} s",
    "on_error": "{target}: failed. {error} Done before it: {done}. Taken back: {taken_back}.",
}
_FIELDS = frozenset(HookSummary.__slots__)


class NotifyOptions(HookOptions):
    """What [hooks.options] may say."""

    block: str | None = None
    url: str | None = None
    subject: str = "confiture-flows"
    template: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> NotifyOptions:
        if (self.block is None) is (self.url is None):
            raise ValueError("give either block or url")
        return self


@dataclass(frozen=True, slots=True)
class Notify:
    """The hook.

    Attributes:
        options: What [hooks.options] said.
    """

    options: NotifyOptions

    def __call__(self, context: HookContext) -> HookResult:
        """Send one message."""
        summary = context.summary()
        template = self.options.template or _TEMPLATES[summary.point]
        text = template.format_map(_words(summary))
        if self.options.block:
            _by_block(self.options.block, text, self.options.subject)
            return HookResult(message=f"sent by {self.options.block}")
        host = _post(str(self.options.url), {"text": text} | asdict(summary))
        return HookResult(message=f"sent to {host}")


def make(options: dict[str, Any], root: Path) -> Notify:
    """The hook for what a file says.

    Raises:
        ConfigError: An option is wrong.
    """
    said = read_options(NotifyOptions, "notify", options)
    try:
        fields = [name for _, name, _, _ in Formatter().parse(said.template or "")]
        unknown = [name for name in fields if name is not None and name not in _FIELDS]
        if not unknown:
            (said.template or "").format_map(dict.fromkeys(_FIELDS, ""))
    except (ValueError, LookupError) as error:
        raise ConfigError(f"The hook 'notify': the template cannot be read: {error}.") from None
    if unknown:
        raise ConfigError(
            f"The hook 'notify': the template says {{{unknown[0]}}}, which nobody knows.",
            next_step=f"It may say: {', '.join(sorted(_FIELDS))}.",
        )
    return Notify(said)


def _words(summary: HookSummary) -> dict[str, str]:
    def word(value: object) -> str:
        if isinstance(value, tuple):
            return ", ".join(value) or "nothing"
        return "" if value is None else str(value)

    return {name: word(value) for name, value in asdict(summary).items()}


def _by_block(name: str, text: str, subject: str) -> None:
    try:
        block: Any = Block.load(name, _sync=True)  # pyright: ignore[reportCallIssue]
    except ValueError:
        raise HookError(
            f"there is no block {name!r}",
            next_step="Save one, and name it as type/name: slack-webhook/ops.",
        ) from None
    if hasattr(block, "notify"):
        block.notify(text, subject=subject, _sync=True)
    elif hasattr(block, "call"):
        response = block.call({"text": text, "subject": subject}, _sync=True)
        response.raise_for_status()
    else:
        raise HookError(
            f"the block {name!r} sends no messages",
            next_step="Use a notification block or a webhook block.",
        )


def _post(url: str, value: dict[str, Any]) -> str:
    host = urlsplit(url).hostname or "?"
    try:
        response = httpx.post(url, json=value, timeout=_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise HookError(
            f"{host} cannot be reached: {type(error).__name__}",
            next_step="Check the address and the network.",
        ) from None
    if response.is_error:
        raise HookError(f"{host} answered {response.status_code}")
    return host
