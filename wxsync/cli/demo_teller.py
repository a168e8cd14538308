"""How `wxsync demo` speaks: numbered steps and short sentences, in Chinese or English."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from wxsync.cli.output import PIPE_WIDTH
from wxsync.model.message import Message
from wxsync.report.locale import translate


def language_of(environment: Mapping[str, str]) -> str:
    """The language that the environment asks for, by the rules of locale(7)."""
    named = (environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, named), "").lower().startswith("zh") else "en"


class Teller:
    """Says everything on stdout; counts the steps."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._console = Console(width=None if os.isatty(1) else PIPE_WIDTH, highlight=False)
        self._step = 0

    def title(self, message: Message) -> None:
        self._console.print(Text(self._of(message), "bold"))

    def step(self, message: Message, command: str | None = None) -> None:
        """Begin the next step; `command` is what a user would type for it."""
        self._step += 1
        self._console.print()
        title = Text(f" {self._step}  {self._of(message)} ", "bold reverse")
        self._console.print(Rule(title, align="left", style="dim", characters="─"))
        if command is not None:
            self.typed(command)

    def note(self, message: Message | str) -> None:
        """One sentence or two; what is in the reader's language already is a text."""
        self._print(Text(self._of(message)))

    def good(self, message: Message) -> None:
        """Something that was looked at and holds."""
        self._print(Text("✓ ", "bold green").append(self._of(message), "not bold default"))

    def typed(self, command: str) -> None:
        """Something to type, whole in one line, so that it can be copied."""
        self._console.print(Text(f"  $ {command}", "bold cyan"), soft_wrap=True)

    def gap(self) -> None:
        self._console.print()

    def head(self, message: Message) -> None:
        self._console.print()
        self._console.print(Text(self._of(message), "bold underline"))

    def table(self, headings: Sequence[Message], rows: Iterable[Sequence[str | Message]]) -> None:
        table = Table(*(self._of(heading) for heading in headings), box=box.SIMPLE_HEAD, header_style="dim")
        for row in rows:
            table.add_row(*(Text(self._of(cell)) for cell in row))
        self._console.print(table)

    def listed(self, rows: Sequence[tuple[str, Message]]) -> None:
        """A name and what it is, line by line."""
        width = max(cell_len(name) for name, _ in rows)
        for name, what in rows:
            self._print(Text(set_cell_size(name, width + 2), "bold").append(self._of(what), "not bold"))

    def _print(self, text: Text) -> None:
        """Wrapped under its indent on a terminal, whole elsewhere."""
        if self._console.is_terminal:
            self._console.print(Padding(text, (0, 0, 0, 2), expand=False))
        else:
            self._console.print(Text("  ").append_text(text), soft_wrap=True)

    def _of(self, message: str | Message) -> str:
        return message if isinstance(message, str) else translate(message, self.language)
