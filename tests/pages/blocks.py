"""A page of Markdown -> its fenced blocks, with their language, line, and the remark before each.

A remark is an HTML comment on the line before the fence, which readers do not see:
`<!-- not checked: REASON -->` takes a block out of all tests, and `<!-- exits with N -->` says how
the last command of a block ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_FENCE = re.compile(
    r"(?:^<!-- (?P<remark>[^>]+) -->\n\n?)?"
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    flags=re.MULTILINE | re.DOTALL,
)
_FILE = re.compile(r"(?:--|#|//) ([\w./-]+\.\w+)$")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: Where it stands.
        line: Of its first line in the page.
        language: As the fence says.
        text: Without the fence and its indentation.
        remark: Of the comment before it; empty when there is none.
    """

    page: Path
    line: int
    language: str
    text: str
    remark: str

    @property
    def file(self) -> str | None:
        """The file that it is, when its first line is a comment with a path and nothing else."""
        named = _FILE.fullmatch(self.text.partition("\n")[0].strip())
        return named[1] if named else None

    @property
    def unchecked(self) -> bool:
        """Whether the page says why it cannot be tried."""
        return bool(re.match(r"not checked: .{10}", self.remark))

    @property
    def exit_code(self) -> int:
        """How its last command ends."""
        said = re.fullmatch(r"exits with (\d+)", self.remark)
        return int(said[1]) if said else 0

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Of a console: what is typed after `$`, and the lines that are shown below it."""
        typed, shown = "", list[str]()
        lines = self.text.splitlines()
        if not any(line.startswith("$ ") for line in lines):  # commands alone, without a prompt
            lines = [f"$ {line}" for line in lines if line.strip() and not line.startswith("#")]
        for line in lines:
            if line.startswith("$ "):
                if typed:
                    yield typed, shown
                typed, shown = line.removeprefix("$ "), []
            elif typed.endswith("\\"):
                typed = typed.removesuffix("\\") + line.strip()
            else:
                shown.append(line)
        if typed:
            yield typed, shown


def blocks_of(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        indent = len(match["indent"])
        inner = "".join(each[indent:] for each in match["text"].splitlines(keepends=True))
        found.append(Block(page, line, match["language"], inner, match["remark"] or ""))
    return found


def page(name: str) -> str:
    """The text of a page, by its path in the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """What stands in the blocks of a language, by the page's path in the repository."""
    return [each.text for each in blocks_of(REPOSITORY / name) if each.language == language]
