"""`wxsync demo`: the whole story on embedded parts, by the same code as the real commands."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import click

from wxsync.cli.demo_company import COMPANY
from wxsync.cli.demo_config import CONFIG, HR, MIRROR, REPORT, SYNC
from wxsync.cli.demo_story import ADMIN, ADMIN_NAME, Stage, tell_story
from wxsync.cli.demo_teller import Teller, language_of
from wxsync.cli.output import EXIT_DONE
from wxsync.errors import WxsyncError
from wxsync.model.message import say
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

FEWEST: Final = 30
MOST: Final = 10_000


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Leave everything in this directory [default: a new one under the temporary directory].",
)
@click.option(
    "--members",
    type=click.IntRange(FEWEST, MOST),
    default=300,
    show_default=True,
    help="How many people the sample company has.",
)
@click.option("--language", type=click.Choice(["zh", "en"]), help="[default: the environment's]")
def demo(keep: Path | None, members: int, language: str | None) -> int:
    """Show the whole story on embedded parts: nothing to set up, nothing outside is touched.

    A sample HR database, a local WeCom on this machine, a first load, a day of changes, a dry run,
    and nothing left to do. Keeps the databases, the config file and an HTML report.
    """
    folder = _new_folder(keep)
    teller = Teller(language or language_of(os.environ))
    started = time.monotonic()
    state = SandboxState(corp_name=COMPANY, creator=ADMIN)
    state.add_member(ADMIN, ADMIN_NAME, is_activated=True)
    teller.title(say("wxsync demo: from an HR table to WeCom, on this machine alone."))
    with running_sandbox(state) as base_url:
        stage = Stage(folder=folder, state=state, teller=teller, base_url=base_url)
        try:
            tell_story(stage, members)
        except WxsyncError as error:
            raise WxsyncError(
                f"the demo broke off: {error.message}", hint=f"what it made so far is in {folder}"
            ) from error
    teller.gap()
    teller.good(say("That took {seconds} s.", seconds=f"{time.monotonic() - started:.1f}"))
    _tell_what_next(stage)
    return EXIT_DONE


def _new_folder(keep: Path | None) -> Path:
    """A directory without any file of ours; raises WxsyncError where there is one."""
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="wxsync-demo-"))
    try:
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        taken = [name for name in (HR, CONFIG, MIRROR, REPORT) if os.path.lexists(keep / name)]
    except OSError as error:
        raise WxsyncError(f"--keep {keep}: {error.strerror}", hint="name another directory") from error
    if taken:
        raise WxsyncError(
            f"--keep {keep}: nothing is overwritten, and there is already: {', '.join(taken)}",
            hint="name another directory, or move those files away",
        )
    return keep.resolve()


def _tell_what_next(stage: Stage) -> None:
    stage.teller.head(say("What is left, in {folder}", folder=str(stage.folder)))
    stage.teller.listed(
        (
            (HR, say("the HR database, after its day")),
            (CONFIG, say("the config that was used")),
            (MIRROR, say("what wxsync remembers: what is ours in WeCom, and every run")),
            (REPORT, say("the report of the dry run: open it in a browser")),
        )
    )
    _tell_how_to_play(stage, _own_name())
    _tell_how_to_begin(stage.teller, _own_name())


def _tell_how_to_play(stage: Stage, wxsync: str) -> None:
    tell = stage.teller
    tell.head(say("To play on"))
    tell.note(
        say(
            "The local WeCom has ended, and all that was in it is gone; {file} still remembers it. So take "
            "that memory away and start an empty one, in a second terminal:",
            file=MIRROR,
        )
    )
    tell.typed(f"{wxsync} sandbox --listen {stage.base_url.removeprefix('http://')}")
    tell.note(say("Then in the first one:"))
    tell.typed(f"cd {shlex.quote(str(stage.folder))} && rm {MIRROR}")
    tell.typed(f"{wxsync} apply")
    tell.note(say("Change something in {file} with any SQLite tool, and look what it would do:", file=HR))
    tell.typed(f"{wxsync} plan")


def _tell_how_to_begin(tell: Teller, wxsync: str) -> None:
    tell.head(say("To do the same with your own database"))
    tell.note(say("1. Copy {file} to a new directory, and go there.", file=CONFIG))
    tell.note(
        say("2. In [source.hr] write your url and queries; in [sync.{sync}.…] your columns.", sync=SYNC)
    )
    tell.note(
        say("3. In [corp.{corp}] write your corp_id and contact_secret, and take out base_url.", corp=SYNC)
    )
    tell.note(say("4. See whether everything answers, then what would change. Neither writes to WeCom:"))
    tell.typed(f"{wxsync} check")
    tell.typed(f"{wxsync} plan")


def _own_name() -> str:
    """What to type for wxsync from any directory: after `make demo` it is on nobody's PATH."""
    own = Path(sys.argv[0])
    if shutil.which("wxsync") or own.name != "wxsync" or not own.is_file():
        return "wxsync"
    return shlex.quote(str(own.absolute()))
