"""A process that takes a lease and keeps it: `lease_taker.py MIRROR_URL CORP SECONDS`; prints its token."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

from wxsync.mirror import lease
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store


def main(mirror_url: str, corp: str, seconds: str) -> None:
    store = Store(prepare(mirror_url))
    held = lease.acquire(store, corp, owner="the taker", ttl=timedelta(seconds=float(seconds)))
    print(held.token, flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
