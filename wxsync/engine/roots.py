"""Where a sync's tree begins, and that no other sync's begins above or below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wxsync.errors import ConfigError
from wxsync.model.seen import Seen


def check_root(sync: str, root: int, seen: Seen, sibling_roots: Mapping[str, int]) -> None:
    """Refuse a root department that is not there, or that shares a branch with another sync's.

    Of two syncs on one branch each would find the other's departments in its own tree. Raises
    ConfigError.
    """
    parents = {department.id: department.parent_id for department in seen.departments}
    here = f"sync.{sync}.root_department"
    if root not in parents:
        raise ConfigError([f"{here}: WeCom has no department {root}; name one that is there"])
    above = set(ancestors(root, parents))
    problems = []
    for other, other_root in sorted(sibling_roots.items()):
        if other_root in above:
            relation = "below"
        elif other_root in parents and root in ancestors(other_root, parents):
            relation = "above"
        else:
            continue
        problems.append(
            f"{here}: {root} lies {relation} {other_root}, the root department of sync {other}: "
            "give each a branch of its own"
        )
    if problems:
        raise ConfigError(problems)


def ancestors(id: int, parents: Mapping[int, int]) -> Iterator[int]:
    """The departments above this one, the nearest first, as far as they are known."""
    passed = {id}
    while (parent := parents[id]) in parents and parent not in passed:
        yield parent
        passed.add(parent)
        id = parent
