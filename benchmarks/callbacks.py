"""How long events wait for their answer while a run applies: 300 a second, by HTTP on loopback.

The daemon's half is a process of its own, which answers in one thread and carries out a first load in
another, against a local WeCom. One request in ten is a repetition or comes before the one before it. Each
request is due at a moment of its own, and its time counts from then, however late it could be sent. Ends with
1 where an event was not answered 200, was not kept or was kept twice, where no run went on meanwhile, or
where the median of the 99th percentiles is over 200 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import cast
from urllib.parse import urlencode

from benchmarks.company import CORP, Company
from benchmarks.figures import machine
from benchmarks.served import ROOT, Served, served
from wxsync.wecom.crypto import CallbackCrypto, build_envelope

RATE = 300
"""Requests a second."""
AT_MOST = 0.2
"""Seconds: the median of the 99th percentiles."""
CONNECTIONS = 100
"""At once; who finds none free waits, and its time runs."""
ODD = 0.1
"""So many of the requests are repetitions, or out of order."""
LATENCY = 0.05
CREATIONS = 200
"""A second, at most: ten calls at once, each after 50 ms."""
TOKEN, AES_KEY = "benchtoken", "b" * 43


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One load."""

    sent: int
    distinct: int
    kept: int
    answers: dict[int, int]
    """HTTP status -> how many."""
    is_applying: bool
    """The run went on until the end."""
    created: int
    """Members that it created meanwhile."""
    p50: float
    p99: float
    longest: float

    def faults(self) -> Iterator[str]:
        if self.answers != {200: self.sent}:
            yield f"of {self.sent} requests these were answered: {self.answers}"
        if self.kept != self.distinct:
            yield f"of {self.distinct} events {self.kept} are kept"
        if not (self.is_applying and self.created):
            yield f"no run went on meanwhile: {self.created} members were created"


@dataclass(slots=True)
class Answers:
    """What came back."""

    seconds: list[float] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)

    def note(self, seconds: float, status: int) -> None:
        self.seconds.append(seconds)
        self.counts[status] = self.counts.get(status, 0) + 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and judge."""
    options = _options(arguments)
    rounds = [asyncio.run(_round(options.rate, options.seconds, seed)) for seed in range(options.rounds)]
    p99 = median(each.p99 for each in rounds)
    if options.json:
        document = {"rounds": [asdict(each) for each in rounds], "p99": p99, "machine": machine()}
        print(json.dumps(document))
    else:
        for each in rounds:
            print(
                f"{each.sent} requests, {each.distinct} events, {each.created} members created meanwhile:"
                f" p50 {each.p50 * 1000:.1f} ms, p99 {each.p99 * 1000:.1f} ms,"
                f" longest {each.longest * 1000:.0f} ms"
            )
        print(f"median of the 99th percentiles: {p99 * 1000:.1f} ms, at most {AT_MOST * 1000:.0f} are wanted")
    faults = [fault for each in rounds for fault in each.faults()]
    if p99 > AT_MOST and not options.any_time:
        faults.append(f"the median of the 99th percentiles is {p99 * 1000:.0f} ms")
    for fault in faults:
        print(f"FAULT: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of each load (default 60)")
    parser.add_argument("--rounds", type=int, default=5, help="loads (default 5)")
    parser.add_argument("--rate", type=int, default=RATE, help=f"requests a second (default {RATE})")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--any-time", action="store_true", help="do not judge the time")
    return parser.parse_args(arguments)


async def _round(rate: int, seconds: int, seed: int) -> Round:
    with tempfile.TemporaryDirectory(prefix="wxsync-bench-") as folder:
        people = CREATIONS * (seconds + 10)
        company = Company(directory=Path(folder) / "company", members=people, members_a_department=1000)
        async with served(latency=LATENCY) as wecom:
            company.make(base_url=wecom.base_url, corp_id=wecom.corp_id, secret=wecom.secret)
            with company.config.open("a") as config:
                config.write(f'\n[corp.{CORP}.callback]\ntoken = "{TOKEN}"\nencoding_aes_key = "{AES_KEY}"\n')
            requests = _requests(rate * seconds, wecom.corp_id, random.Random(seed))
            return await _measured(company, wecom, requests, rate)


async def _measured(company: Company, wecom: Served, requests: list[bytes], rate: int) -> Round:
    command = (sys.executable, "-m", "benchmarks.callbacks_side", str(company.config))
    side = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE)
    port = json.loads(await _line(side))["port"]
    before = await _begun(wecom)
    answers = Answers()
    await _load(port, requests, rate, answers)
    created = (await wecom.pace("user/create")).carried_out - before
    cast("asyncio.StreamWriter", side.stdin).close()
    is_applying = json.loads(await _line(side))["is_applying"]
    await side.wait()
    with closing(sqlite3.connect(company.directory / "mirror.db")) as mirror:
        (kept,) = mirror.execute("SELECT count(*) FROM inbox").fetchone()
    cuts = quantiles(answers.seconds, n=100)
    return Round(
        sent=len(requests),
        distinct=len(requests) - _repetitions(len(requests)),
        kept=kept,
        answers=answers.counts,
        is_applying=is_applying,
        created=created,
        p50=cuts[49],
        p99=cuts[98],
        longest=max(answers.seconds),
    )


async def _begun(wecom: Served) -> int:
    """How many members the run has created, as soon as it has created any."""
    for _ in range(3000):
        if created := (await wecom.pace("user/create")).carried_out:
            return created
        await asyncio.sleep(0.1)
    raise SystemExit("the run has created nobody within five minutes")


async def _line(process: Process) -> bytes:
    line = await cast("asyncio.StreamReader", process.stdout).readline()
    if not line:
        raise SystemExit("the daemon's side has died; what it said is above")
    return line


def _repetitions(count: int) -> int:
    return int(count * ODD / 2)


def _requests(count: int, corp_id: str, dice: random.Random) -> list[bytes]:
    """As many requests, made before the clock runs: half of the odd ones repeated, half before their turn."""
    crypto = CallbackCrypto(TOKEN, AES_KEY, corp_id)
    numbers = list(range(count - _repetitions(count)))
    for place in dice.sample(range(len(numbers) - 1), _repetitions(count)):
        numbers[place], numbers[place + 1] = numbers[place + 1], numbers[place]
    made = [(_event(number, corp_id), False) for number in numbers]
    for again in sorted(dice.sample(range(len(made)), _repetitions(count)), reverse=True):
        made.insert(min(again + dice.randint(1, 50), len(made)), (made[again][0], True))
    return [_request(event, crypto, corp_id) for event, _ in made]


def _event(number: int, corp_id: str) -> bytes:
    return (
        f"<xml><ToUserName><![CDATA[{corp_id}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        "<Event><![CDATA[change_contact]]></Event><ChangeType>update_user</ChangeType>"
        f"<UserID><![CDATA[e{number:06d}]]></UserID><Department><![CDATA[{number % 100 + 2}]]></Department>"
        "</xml>"
    ).encode()


def _request(event: bytes, crypto: CallbackCrypto, corp_id: str) -> bytes:
    timestamp, nonce = str(int(time.time())), str(random.getrandbits(40))
    encrypt, signature = crypto.encrypt(event, timestamp, nonce)
    query = urlencode({"msg_signature": signature, "timestamp": timestamp, "nonce": nonce})
    body = build_envelope(encrypt, to_user_name=corp_id)
    head = (
        f"POST /callback/{CORP}?{query} HTTP/1.1\r\nHost: wxsync.test\r\nContent-Type: text/xml\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _load(port: int, requests: Sequence[bytes], rate: int, answers: Answers) -> None:
    """Each at its moment, over a connection that is free then, or a new one."""
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    began = time.perf_counter() + 0.1
    under_way: set[asyncio.Task[None]] = set()
    lines = asyncio.Semaphore(CONNECTIONS)
    for number, request in enumerate(requests):
        due = began + number / rate
        if (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        task = asyncio.create_task(_send(port, request, due, free, lines, answers))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    for _, writer in free:
        writer.close()


async def _send(
    port: int,
    request: bytes,
    due: float,
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    lines: asyncio.Semaphore,
    answers: Answers,
) -> None:
    async with lines:
        reader, writer = free.pop() if free else await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        answers.note(time.perf_counter() - due, int(head.split(b" ", 2)[1]))
        if b"content-length: 0" in head.lower() and b"connection: close" not in head.lower():
            free.append((reader, writer))
        else:
            writer.close()


if __name__ == "__main__":
    sys.exit(main())
