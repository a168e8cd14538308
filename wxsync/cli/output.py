"""Where reports go: the terminal, a file, or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from wxsync.cli.streams import discard_stdout, going_on_without_reader
from wxsync.errors import WxsyncError
from wxsync.model.change import Reason
from wxsync.model.glance import Looked
from wxsync.model.plan import Plan
from wxsync.model.run import OutcomeState, Run, RunState
from wxsync.report.as_html import html_of_plan, html_of_run
from wxsync.report.as_json import plan_document, run_document, to_json
from wxsync.report.as_text import print_plan, print_run
from wxsync.report.source_json import source_document
from wxsync.report.source_text import print_source

EXIT_DONE = 0
EXIT_CHANGES = 3
EXIT_REFUSED = 4
EXIT_PARTLY = 5

PIPE_WIDTH = 120
"""Columns of a text report that goes to a file or a pipe."""


class Reporter:
    """Shows plans and runs in one format and language, in one place."""

    def __init__(self, *, format_: str, output: Path | None, language: str, show_personal: bool) -> None:
        self.format = format_
        self.language = language
        self._output = output
        self._show_personal = show_personal

    def claim_output(self) -> None:
        """Find out that the file of the report cannot be written before anything else is done."""
        if self._output is not None:
            with _telling(self._output):
                _make_private(self._output)
                self._output.open("a").close()

    def show_plan(self, plan: Plan) -> None:
        """Show a plan."""
        if self.format == "json":
            self._put(to_json(plan_document(plan, language=self.language)))
        elif self.format == "html":
            self._put(html_of_plan(plan, language=self.language, show_personal=self._show_personal))
        else:
            self._print(
                lambda console: print_plan(
                    plan, console, language=self.language, show_personal=self._show_personal
                )
            )

    def show_sources(self, looked: Looked) -> None:
        """Show what the sources alone gave; there is no HTML of it."""
        if self.format == "json":
            self._put(to_json(source_document(looked, language=self.language)))
        else:
            self._print(
                lambda console: print_source(
                    looked, console, language=self.language, show_personal=self._show_personal
                )
            )

    def show_run(self, run: Run) -> None:
        """Show a run with its outcomes; as text its plan has been shown before."""
        if self.format == "json":
            self._put(to_json(run_document(run, language=self.language)))
        elif self.format == "html":
            self._put(html_of_run(run, language=self.language, show_personal=self._show_personal))
        else:
            self._print(
                lambda console: print_run(
                    run, console, language=self.language, show_personal=self._show_personal
                ),
                is_more=True,
            )

    def _put(self, text: str) -> None:
        if self._output is None:
            with going_on_without_reader():
                click.echo(text, nl=not text.endswith("\n"))
        else:
            write_private(self._output, text)
            click.echo(f"Written to {self._output}", err=True)

    def _print(self, show: Callable[[Console], None], *, is_more: bool = False) -> None:
        if self._output is None:
            show(stdout_console())
            return
        sheet = StringIO()
        show(Console(width=PIPE_WIDTH, file=sheet))
        text = sheet.getvalue()
        write_private(self._output, self._output.read_text("utf-8") + text if is_more else text)
        click.echo(f"Written to {self._output}", err=True)


class PatientConsole(Console):
    """Goes on where its reader has gone: `wxsync apply --yes | head` must not stop half-way."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        discard_stdout()


def stdout_console() -> Console:
    """As wide as the terminal, or as a report in a pipe."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return PatientConsole() if is_terminal else PatientConsole(width=PIPE_WIDTH)


def write_private(path: Path, text: str) -> None:
    """Write a report that only its owner can read (contract §6.9)."""
    with _telling(path):
        _make_private(path)
        with path.open("w", encoding="utf-8") as file:
            file.write(text)


def _make_private(path: Path) -> None:
    """Make the file before anything is in it; what is no plain file (/dev/null) is left as it is."""
    path.touch(mode=0o600)
    if path.is_file():
        path.chmod(0o600)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WxsyncError(
            f"cannot write {path}: {error.strerror}", hint="name another file with --output"
        ) from None


def counted(number: int, one: str, many: str | None = None) -> str:
    """1 tag, 2 tags; `many` where that is not `one` with an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def progress_bar() -> Progress:
    """A bar on stderr where that is a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def exit_code_of(run: Run) -> int:
    """0 where everything was done; 5 where something failed, was rejected or was held back."""
    held_back = any(change.reason is Reason.INCOMPLETE for change in run.plan.changes)
    failed = any(outcome.state is not OutcomeState.DONE for outcome in run.outcomes)
    if failed or held_back or run.plan.rejected or run.state is not RunState.APPLIED:
        return EXIT_PARTLY
    return EXIT_DONE
