"""The local WeCom of the cycles, in a process of its own: its memory and its files are not the daemon's.

As a script it says where it listens, on one line, and serves until SIGTERM. It counts calls and keeps none.
"""

from __future__ import annotations

from wxsync.sandbox.serve import LOOPBACK, base_url, run_sandbox
from wxsync.sandbox.state import SandboxState

JOB_SECONDS = 0.02


def main() -> None:
    state = SandboxState(job_seconds=JOB_SECONDS, keeps_log=False)
    run_sandbox(state, on_ready=lambda port: print(base_url(LOOPBACK, port), flush=True))


if __name__ == "__main__":
    main()
