"""A process that makes one call and is stopped on the way: `dozer.py FACTS`, with `Facts` as JSON.

It says in a line what became of the call, and once more that it lives when its leave is long over.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import httpx

from wxsync.mirror.clocks import since_boot
from wxsync.wecom.client import TIMEOUTS, api_url, http_client
from wxsync.wecom.gate import Leave
from wxsync.wecom.receiving import receive


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What such a process is told."""

    base_url: str
    ca_file: str = ""
    stops_at: int | None = None
    """At which question for leave it stops itself; the answer is yes all the same."""
    leave: float
    """Seconds from the beginning."""
    size: int = 100
    """Bytes of the body."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))


async def call(facts: Facts) -> str:
    until, numbers = since_boot() + facts.leave, count(1)

    def may_go() -> bool:
        if facts.stops_at is None:
            return since_boot() < until
        if next(numbers) == facts.stops_at:
            os.kill(os.getpid(), signal.SIGSTOP)
        return True

    client = http_client(
        api_url(facts.base_url),
        proxy=None,
        ca_file=Path(facts.ca_file) if facts.ca_file else None,
        transport=None,
        timeouts=TIMEOUTS,
    )
    async with client:
        request = client.build_request("POST", "user/create", content=b"x" * facts.size)
        try:
            return str((await receive(client, request, within=30, leave=Leave(may_go, until))).status_code)
        except httpx.HTTPError as error:
            return type(error).__name__


def live(facts: Facts) -> None:
    print(asyncio.run(call(facts)), flush=True)
    time.sleep(facts.leave + 0.5)
    print("lives", flush=True)


if __name__ == "__main__":
    live(Facts(**json.loads(sys.argv[1])))
