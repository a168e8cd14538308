"""A process that calls WeCom: `caller.py MIRROR_URL BASE_URL SECRET CALLS`, so many calls at once.

Prints JSON: how many were answered, and the errcodes of the others. With `retry` in the place of CALLS it has
refusals forgotten instead, and prints how many.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

from wxsync.config.settings import Settings
from wxsync.errors import WeComApiError
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.runtime import forget_refusals, open_lines

CORP_ID = "ww5a6d626f78000001"


def settings_of(mirror_url: str, base_url: str, secret: str) -> Settings:
    corp = {"corp_id": CORP_ID, "base_url": base_url, "contact_secret": secret}
    return Settings.model_validate({"mirror": {"url": mirror_url}, "corp": {"acme": corp}})


async def call(settings: Settings, calls: int) -> dict[str, object]:
    """The same read call, so many times at once."""
    store = Store(prepare(settings.mirror.full_url))
    try:
        async with open_lines(settings, "acme", store) as lines:
            answers = await asyncio.gather(
                *(lines.contact.send("GET", "tag/list", is_repeatable=True) for _ in range(calls)),
                return_exceptions=True,
            )
    finally:
        store.close()
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    refused = Counter(failure.errcode for failure in failures if isinstance(failure, WeComApiError))
    return {"answered": len(answers) - len(failures), "refused": sorted(refused.items())}


def main(mirror_url: str, base_url: str, secret: str, calls: str) -> None:
    settings = settings_of(mirror_url, base_url, secret)
    if calls == "retry":
        print(json.dumps({"forgotten": forget_refusals(settings, "acme")}))
    else:
        print(json.dumps(asyncio.run(call(settings, int(calls)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
