"""The daemon's log: one way for its own lines and for those of the libraries.

A line is an event, a short sentence that never varies, with what varies beside it. `run`, `sync` and `corp`
are bound for as long as a run goes on (`structlog.contextvars.bound_contextvars`), so each of its lines
carries them, in whatever thread.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from wxsync.config.settings import ServiceSettings
from wxsync.service import journald
from wxsync.service.log_lines import cleaned, to_json, to_message, to_text, told

OURS: Final = "wxsync"
"""Loggers below it have the level that is asked for; libraries speak up from a warning on."""

Secrets = Callable[[], Collection[str]]


def configure_logs(
    service: ServiceSettings,
    secrets: Secrets,
    *,
    stream: TextIO | None = None,
    journal: Path = journald.JOURNAL,
) -> str:
    """Have everything logged in the form that `service` asks for; gives the one that is taken.

    It may be called again, as after a reload. `secrets` is asked at each line for what must not be in it.
    """
    out = sys.stderr if stream is None else stream
    taken = form_for(out, service.log)
    outlet = JournalOutlet(out, journal) if taken == "journal" else logging.StreamHandler(out)
    outlet.setFormatter(_formatter(taken, secrets, with_colours=_has_colours(out)))
    root = logging.getLogger()
    root.handlers[:] = [outlet]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(service.log_level.upper())
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # it would print the arguments of a line that cannot be written
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_common(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return taken


def form_for(out: TextIO, form: str, environment: Mapping[str, str] = os.environ) -> str:
    """`auto` is the journal where the stream leads there, text on a terminal, else JSON."""
    if form != "auto":
        return form
    if _leads_to_journal(out, environment):
        return "journal"
    return "text" if out.isatty() else "json"


class JournalOutlet(logging.StreamHandler[TextIO]):
    """Hands each line to the journal; one that it does not take goes to the stream, as JSON."""

    def __init__(self, out: TextIO, journal: Path) -> None:
        super().__init__(out)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = json.loads(self.format(record))
            journald.send(line, to_message(line), journal=self._journal)
        except OSError:
            super().emit(record)


def _formatter(form: str, secrets: Secrets, *, with_colours: bool) -> structlog.stdlib.ProcessorFormatter:
    def finish(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
        clean = cleaned(told(line), secrets())
        return to_text(clean, with_colours=with_colours) if form == "text" else to_json(clean)

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_common(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, finish],
    )


def _common() -> list[Any]:
    """What our lines and those of the libraries have in common."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _seize_error,
    ]


def _seize_error(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """`exc_info=True` means the error that is being handled now; another thread would not find it."""
    if line.get("exc_info") is True:
        line["exc_info"] = sys.exc_info()
    return line


def _leads_to_journal(out: TextIO, environment: Mapping[str, str]) -> bool:
    try:
        return journald.leads_to_journal(out.fileno(), environment)
    except (OSError, ValueError):
        return False


def _has_colours(out: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """no-color.org: the variable counts where it is set to anything."""
    return out.isatty() and not environment.get("NO_COLOR")
