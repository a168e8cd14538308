"""`wxsync`: the group of all commands, and the one place where an error becomes an exit code."""

from __future__ import annotations

import difflib
import gc
import importlib
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Final

import click

from wxsync import __version__
from wxsync.cli.invocation import Invocation, invocation_of
from wxsync.cli.streams import discard_stdout
from wxsync.errors import GuardError, StalePlanError, WxsyncError
from wxsync.report.as_json import error_document, to_json

EXIT_DONE: Final = 0
EXIT_ERROR: Final = 1
EXIT_USAGE: Final = 2
EXIT_REFUSED: Final = 4
EXIT_INTERRUPTED: Final = 130

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "demo": ("wxsync.cli.demo", "demo"),
    "check": ("wxsync.cli.check", "check"),
    "db": ("wxsync.cli.database", "db"),
    "plan": ("wxsync.cli.sync", "plan"),
    "apply": ("wxsync.cli.sync", "apply"),
    "approve": ("wxsync.cli.approve", "approve"),
    "reject": ("wxsync.cli.approve", "reject"),
    "undo": ("wxsync.cli.undo", "undo"),
    "baseline": ("wxsync.cli.baseline", "baseline"),
    "rekey": ("wxsync.cli.rekey", "rekey"),
    "wecom": ("wxsync.cli.wecom", "wecom"),
    "status": ("wxsync.cli.history", "status"),
    "runs": ("wxsync.cli.history", "runs"),
    "jobs": ("wxsync.cli.jobs", "jobs"),
    "audit": ("wxsync.cli.audit", "audit"),
    "serve": ("wxsync.cli.serve", "serve"),
    "notify": ("wxsync.cli.notify", "notify"),
    "install-service": ("wxsync.cli.service", "install_service"),
    "sandbox": ("wxsync.cli.sandbox", "sandbox"),
}
"""Command -> where it lives; loaded when it is called, so that help is quick."""


class LazyGroup(click.Group):
    """Imports a command's module only when the command is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name]
        if module not in sys.modules:
            with _uncollected():
                importlib.import_module(module)
        command: click.Command = getattr(sys.modules[module], attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = _close_to(args[0])
            if close:
                raise click.UsageError(f"No such command {args[0]!r}. Did you mean {close}?", ctx) from error
            raise


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is loaded stays: to look through it for what could be freed takes a tenth of a command's start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _close_to(name: str) -> str | None:
    found = difflib.get_close_matches(name, COMMANDS, n=1)
    return found[0] if found else None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wxsync")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The config file [default: $WXSYNC_CONFIG, ./wxsync.toml or /etc/wxsync/config.toml].",
)
@click.pass_context
def cli(ctx: click.Context, config: Path | None) -> None:
    """Keep a WeCom (企业微信) directory in step with your HR database.

    Look first: `wxsync plan` shows what would change and changes nothing.
    """
    ctx.ensure_object(Invocation).config = config


def main(arguments: list[str] | None = None) -> None:
    """Run `wxsync` and leave with its exit code (contract §3)."""
    given = sys.argv[1:] if arguments is None else arguments
    sys.excepthook = partial(_complain_of_fault, invocation_of(given).as_json)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no Chinese gets escapes instead of an error.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = run(given)
    if code == EXIT_INTERRUPTED:
        # At once: the usual way out waits for threads, and one may still wait for a database.
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run a command; gives the exit code and never raises for what a user can bring about."""
    invocation = invocation_of(arguments)
    as_json = invocation.as_json
    try:
        code = cli.main(args=arguments, prog_name="wxsync", standalone_mode=False, obj=invocation)
        _flush()
    except WxsyncError as error:
        refused = isinstance(error, GuardError | StalePlanError)
        _complain(
            error.code,
            error.message,
            error.hint,
            as_json=as_json,
            language=invocation.language,
        )
        return EXIT_REFUSED if refused else EXIT_ERROR
    except click.UsageError as error:
        _complain_of_usage(error, as_json)
        return EXIT_USAGE
    except click.ClickException as error:
        _complain("error", error.format_message(), None, as_json=as_json)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        # click has ended the line with "^C" in it.
        click.echo("Interrupted. What was done is on record; the next run goes on from there.", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough (`wxsync runs | head`).
        discard_stdout()
        return EXIT_DONE
    except OSError as error:
        # Without a file's name it is the output itself that cannot be written.
        if error.filename is None:
            discard_stdout()
        what = f"cannot use {error.filename}" if error.filename else "cannot write the output"
        _complain("error", f"{what}: {error.strerror}", None, as_json=as_json and error.filename is not None)
        return EXIT_ERROR
    return code if isinstance(code, int) else 0


def _flush() -> None:
    """Have all output out while what goes wrong with it can still be told."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _complain_of_usage(error: click.UsageError, as_json: bool) -> None:
    if as_json:
        _complain("usage", error.format_message(), "see wxsync --help", as_json=True)
        return
    error.show()


def _complain(code: str, message: str, hint: str | None, *, as_json: bool, language: str = "en") -> None:
    """One error, for a person on stderr, or for a program as the one document on stdout."""
    document = error_document(code=code, message=message, hint=hint, language=language)
    if as_json:
        click.echo(to_json(document), nl=False)
        return
    lines = document["message"].splitlines() or [""]
    click.echo(f"Error: {lines[0]}", err=True)
    for line in lines[1:]:
        click.echo(f"       {line}", err=True)
    if document["hint"]:
        click.echo(f"Hint:  {document['hint']}", err=True)


def _complain_of_fault(
    as_json: bool, kind: type[BaseException], _error: BaseException, trace: TracebackType | None
) -> None:
    """What nobody foresaw: where it happened, and none of the values that a traceback would quote."""
    package = str(Path(__file__).parent.parent)
    frames = [frame for frame in traceback.extract_tb(trace) if frame.filename.startswith(package)]
    places = [f"{Path(each.filename).relative_to(package)}:{each.lineno} {each.name}" for each in frames]
    _complain(
        "fault",
        "\n".join([f"this is a fault in wxsync: {kind.__name__}", *places]),
        "please report it with these lines; what was done so far is on record",
        as_json=as_json,
    )
