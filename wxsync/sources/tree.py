"""The departments of the source as one tree: what fits together, and what is held as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wxsync.model.change import Kind, Rejected
from wxsync.model.department import Department
from wxsync.model.message import Message, say
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Unknown
from wxsync.sources.departments import DepartmentRow
from wxsync.sources.duplicates import others

DEEPEST: Final = 15
"""Levels of a tree, the root counted (WeCom page 90205, errcode 81002)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The usable departments, and how other rows may point to all of them."""

    departments: Mapping[str, Department]
    held: frozenset[str]
    """Rejected departments and everything below them."""
    refs: Mapping[str, DepartmentRef]
    """What rows call a department -> its key, or the WeCom id of the root; the held ones too."""
    root_key: str | None
    rejected: tuple[Rejected, ...]


def grow(rows: Sequence[DepartmentRow], root: int) -> Tree:
    """The tree below `root`; whatever cannot be part of it is rejected, and its subtree is held."""
    judged = _Judged(rows, root)
    judged.reject_doubles()
    judged.reject_second_roots()
    judged.connect()
    judged.reject_loops()
    judged.reject_namesakes()
    judged.reject_depths()
    held = judged.held()
    departments = {
        key: Department(key=key, parent=judged.parents[key], name=row.name or UNKNOWN, order=row.order)
        for key, row in judged.rows.items()
        if key not in held and key != judged.root_key
    }
    return Tree(
        departments=departments,
        held=held,
        refs=judged.refs,
        root_key=judged.root_key,
        rejected=tuple(judged.rejected),
    )


class _Judged:
    """The rows on their way to a tree; each step uses what the steps before it found."""

    def __init__(self, rows: Iterable[DepartmentRow], root: int) -> None:
        self.all_rows = tuple(rows)
        self.rows: dict[str, DepartmentRow] = {}
        self.root = root
        self.root_key: str | None = None
        self.refs: dict[str, DepartmentRef] = {}
        self.parents: dict[str, DepartmentRef] = {}
        """Key -> parent, for every row whose parent is known, rejected or not."""
        self.rejected: list[Rejected] = []
        self.faulty: set[str] = set()
        for row in self.all_rows:
            self.rows.setdefault(row.key, row)

    def refuse(self, key: str, field: str, rule: str, problem: Message) -> None:
        self.faulty.add(key)
        self.rejected.append(Rejected(kind=Kind.DEPARTMENT, key=key, field=field, rule=rule, problem=problem))

    def reject_doubles(self) -> None:
        """All rows of a doubled key, and all rows that go by the same `ref`."""
        counts = Counter(row.key for row in self.all_rows)
        for row in self.rows.values():
            if counts[row.key] > 1:
                problem = say("{count} rows have this key", count=counts[row.key])
                self.refuse(row.key, "key", "duplicate_key", problem)
            elif row.rejected:
                self.faulty.add(row.key)
                self.rejected.extend(row.rejected)
        refs = Counter(row.ref for row in self.rows.values() if row.ref is not None)
        for key, row in self.rows.items():
            if row.ref is not None and refs[row.ref] > 1:
                self.refuse(key, "ref", "duplicate_key", say("another department has the same ref"))

    def reject_second_roots(self) -> None:
        """The row that is the root department stands for it; two of them stand for nothing."""
        roots = [key for key, row in self.rows.items() if row.is_root and key not in self.faulty]
        if len(roots) == 1:
            self.root_key = roots[0]
            return
        for key in roots:
            problem = say("{count} rows claim to be the root department", count=len(roots))
            self.refuse(key, "root", "root", problem)

    def connect(self) -> None:
        """Find every parent; a row whose parent is not in the source is rejected."""
        for key, row in self.rows.items():
            if row.ref is not None:
                self.refs[row.ref] = self.root if key == self.root_key else key
        for key, row in self.rows.items():
            for name in row.names:
                self.refs.setdefault(name, self.root if key == self.root_key else key)
        for key, row in self.rows.items():
            if key == self.root_key or isinstance(row.parent, Unknown):
                continue
            parent = self._parent(row, row.parent)
            if parent is not None:
                self.parents[key] = parent
            elif key not in self.faulty:
                problem = say("its parent {parent} is not in the source", parent=row.parent)
                self.refuse(key, "parent", "unknown_parent", problem)

    def _parent(self, row: DepartmentRow, name: str | None) -> DepartmentRef | None:
        if name is None or name in (row.ref, row.key, *row.names):
            return self.root
        return self.refs.get(name)

    def reject_loops(self) -> None:
        """Every department that is its own ancestor; those that merely hang below are held, not at fault."""
        settled: set[str] = set()
        for start in self.parents:
            path: dict[str, None] = {}
            at: DepartmentRef | None = start
            while isinstance(at, str) and at not in settled and at not in path:
                path[at] = None
                at = self.parents.get(at)
            if isinstance(at, str) and at in path:
                chain = list(path)
                for key in chain[chain.index(at) :]:
                    self.refuse(key, "parent", "loop", say("it is its own ancestor"))
            settled.update(path)

    def reject_namesakes(self) -> None:
        """Departments of the same name under the same parent (WeCom page 90205, errcode 60008)."""
        siblings: dict[tuple[DepartmentRef, str], list[str]] = {}
        for key, parent in self.parents.items():
            name = self.rows[key].name
            if name is not None:
                siblings.setdefault((parent, name), []).append(key)
        for keys in siblings.values():
            for key in keys if len(keys) > 1 else ():
                if key not in self.faulty:
                    problem = say("it has the same name as its sibling {keys}", keys=others(key, keys))
                    self.refuse(key, "name", "duplicate_name", problem)

    def reject_depths(self) -> None:
        """Departments below the deepest level; where root_department itself lies is not known here."""
        for key in self._beyond_depth():
            if key not in self.faulty:
                problem = say("it is deeper than {limit} levels", limit=DEEPEST)
                self.refuse(key, "parent", "depth", problem)

    def _beyond_depth(self) -> Iterator[str]:
        levels: dict[DepartmentRef, int] = {self.root: 1}
        for start in self.parents:
            path: list[str] = []
            at: DepartmentRef | None = start
            while isinstance(at, str) and at not in levels:
                path.append(at)
                at = None if at in self.faulty else self.parents.get(at)
            if at is None:  # below a rejected one: held, wherever it is
                continue
            for key in reversed(path):
                levels[key] = levels[at] + 1
                at = key
        return (key for key, level in levels.items() if level > DEEPEST and isinstance(key, str))

    def held(self) -> frozenset[str]:
        """The faulty ones, and all whose way up leads through one of them."""
        below: dict[DepartmentRef, list[str]] = {}
        for key, parent in self.parents.items():
            below.setdefault(parent, []).append(key)
        held: set[str] = set()
        queue = list(self.faulty)
        while queue:
            key = queue.pop()
            if key not in held:
                held.add(key)
                queue.extend(below.get(key, ()))
        return frozenset(held)
