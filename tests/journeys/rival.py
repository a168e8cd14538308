"""A process that applies again and again beside another one: `rival.py FACTS`, with `Facts` as JSON.

Before each run it gives some people another title. Prints a line of JSON for all that it comes to.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr

from tests.journeys.mirrors import with_mirror
from tests.journeys.stage import MEMBER, POLICY, settings_of
from wxsync.config.settings import Settings
from wxsync.engine.reconcile import carry_out, holding, preview
from wxsync.errors import RunInProgressError, WxsyncError
from wxsync.mirror.clocks import since_boot
from wxsync.mirror.lease import CREDIT
from wxsync.runtime import open_corp
from wxsync.wecom.outlet import Outlet
from wxsync.wecom.retries import Patience

WIDE = 1_000_000
LIMITS = ("member_update", "member_create", "field_change")
MAPPED = {name: rule for name, rule in MEMBER.items() if name not in ("starts", "ends")}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What such a process is told."""

    mirror_url: str
    base_url: str
    secret: str
    hr: str
    """The HR database's file."""
    ip: str
    """The loopback address that it calls from, by which WeCom tells it from others."""
    runs: int
    first: int = 0
    """The number of the first: one that goes on for another has fewer left."""
    seed: int
    changes: int
    """How many people get another title before each run."""
    ttl: float
    call: float
    """Seconds that a call has."""
    renewal: float

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def settings_for(facts: Facts) -> Settings:
    """A config of its own mirror and WeCom, without what depends on the day."""
    made = settings_of(
        f"sqlite:///{facts.hr}",
        Path("nowhere.db"),
        tags={},
        member={"starts": None, "ends": None},
        policy={**POLICY, "method": "single"},
        limits=dict.fromkeys(LIMITS, WIDE),
    )
    corp = made.corp["acme"].model_copy(
        update={"base_url": facts.base_url, "contact_secret": SecretStr(facts.secret)}
    )
    return with_mirror(made.model_copy(update={"corp": {"acme": corp}}), facts.mirror_url)


def tell(what: str, **more: object) -> None:
    print(json.dumps({"what": what, "at": since_boot(), **more}), flush=True)


def give_titles(facts: Facts, chance: random.Random, number: int) -> None:
    with closing(sqlite3.connect(facts.hr, timeout=30)) as hr, hr:
        people = [key for (key,) in hr.execute("SELECT emp_no FROM employees ORDER BY emp_no")]
        for key in chance.sample(people, facts.changes):
            title = f"{facts.ip} {number}"
            hr.execute("UPDATE employees SET title = ? WHERE emp_no = ?", (title, key))


async def apply(facts: Facts, settings: Settings) -> None:
    """One run, if nobody else has one."""
    line = Outlet(trust=httpx.create_ssl_context(), limits=httpx.Limits(), local_address=facts.ip)
    patience = Patience(answer_within=facts.call)
    ttl = timedelta(seconds=facts.ttl)
    async with (
        open_corp(settings, "acme", transport=line, patience=patience) as corp,
        holding(corp, facts.ip, ttl=ttl, renewal=facts.renewal) as held,
    ):
        tell("took", token=held.token, sought=held.ends - CREDIT * facts.ttl)
        run_id, decision = await preview(corp, verb="apply")
        run = await carry_out(corp, run_id, decision, held)
        tell("ended", state=run.state, writes=len(run.plan.writes), rejected=len(run.plan.rejected))


async def live(facts: Facts) -> None:
    chance, settings = random.Random(facts.seed), settings_for(facts)
    for number in range(facts.first, facts.first + facts.runs):
        give_titles(facts, chance, number)
        while True:
            try:
                await apply(facts, settings)
                break
            except RunInProgressError as error:
                tell("lost" if "lost the lease" in error.message else "waits")
            except WxsyncError as error:
                tell("broke", error=f"{type(error).__name__}: {error.message} ({error.hint})")
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(live(Facts(**json.loads(sys.argv[1]))))
