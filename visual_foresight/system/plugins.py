"""Alternatives by their names: our own, and those that installed packages bring.

A package brings one by an entry point of a group such as `visual_foresight.costs`
(https://packaging.python.org/specifications/entry-points); our own are written in the same way,
`module:object`. Nothing is imported before it is asked for.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, get_origin

from visual_foresight.types import UserError

OURS = "visual_foresight"
CLASS_VARIABLE: tuple[Any, ...] = (ClassVar,)
"""The origin of `ClassVar[...]`; in a tuple, because its stubs say that it is none."""


class Registry(Mapping[str, Any]):
    """Name -> alternative, imported when it is asked for.

    Args:
        kind: What the alternatives are, in one word, for sentences: "cost".
        group: The last part of the entry-point group: "costs" for `visual_foresight.costs`.
        own: Name -> `module:object` of the alternatives of this package.
        protocol: What each alternative, a class or a factory's result, promises to do; see
            `require`. None where there is nothing to check.
    """

    def __init__(
        self, kind: str, group: str, own: Mapping[str, str], protocol: type | None = None
    ) -> None:
        self.kind = kind
        self.group = f"{OURS}.{group}"
        self.protocol = protocol
        self._own = {name: EntryPoint(name, value, self.group) for name, value in own.items()}

    def __iter__(self) -> Iterator[str]:
        """Yield all names, our own first."""
        others = (entry.name for entry in _installed(self.group))
        return iter(dict.fromkeys([*self._own, *others]))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in list(iter(self))

    def __getitem__(self, name: str) -> Any:
        """Import and return an alternative.

        Raises:
            UserError: There is none of this name, two packages bring one, it cannot be imported,
                or it is a class that lacks a member of the protocol. The sentence names the
                package, or the member.
        """
        found = [entry for entry in _installed(self.group) if entry.name == name]
        if name in self._own:
            found.insert(0, self._own[name])
        if not found:
            raise UserError(f"unknown {self.kind} {name!r}: choose one of {', '.join(self)}")
        if len(found) > 1:
            packages = " and ".join(sorted(_package(entry) for entry in found))
            raise UserError(
                f"the {self.kind} {name!r} is brought by {packages}: uninstall one of them"
            )
        if name in self._own:
            return found[0].load()  # what goes wrong in here is a bug of ours
        try:
            loaded = found[0].load()
        except (
            Exception
        ) as error:  # a stranger's module may raise anything while it is imported
            raise UserError(
                f"the {self.kind} {name!r} of the package {_package(found[0])} cannot be imported "
                f"({type(error).__name__}: {error}): repair that package, or uninstall it"
            ) from error
        return self.require(name, loaded) if isinstance(loaded, type) else loaded

    def require(self, name: str, alternative: Any, protocol: type | None = None) -> Any:
        """Return an alternative that keeps its promise.

        Args:
            name: Of the alternative.
            alternative: A class, or an instance.
            protocol: What it promises; the registry's protocol if not given.

        Raises:
            UserError: A method of the protocol is missing, or a value that it has of each class,
                or in an instance a property; the sentence names it.
        """
        is_class = isinstance(alternative, type)
        wanted = _members(protocol or self.protocol, with_properties=not is_class)
        present = dir(alternative)
        missing = [written for each, written in wanted.items() if each not in present]
        if missing:
            raise UserError(
                f"the {self.kind} {name!r} has no {missing[0]}, which every {self.kind} needs: "
                f"add it, or uninstall the package that brings it"
            )
        return alternative


def _installed(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points that installed packages bring to a group."""
    return _found_on(tuple(sys.path), group)


@lru_cache
def _found_on(path: tuple[str, ...], group: str) -> tuple[EntryPoint, ...]:
    """Return a group's entry points on `sys.path`, which takes 50 ms to search."""
    return tuple(entry_points(group=group))


def _members(protocol: type | None, with_properties: bool) -> dict[str, str]:
    """Return what a protocol asks of a class, and how it is written in sentences.

    These are its methods ("plan()"), those of its bases included, and its class variables; of an
    instance, its properties too.
    """
    members: dict[str, str] = {}
    for base in reversed(protocol.__mro__ if protocol is not None else ()):
        if base.__module__ not in ("typing", "builtins"):
            for name, value in vars(base).items():
                is_method = callable(value) or isinstance(value, classmethod)
                if is_method and (name == "__call__" or not name.startswith("_")):
                    members[name] = f"{name}()"
                elif with_properties and isinstance(value, property):
                    members[name] = name
            for name, annotation in inspect.get_annotations(base).items():
                if get_origin(annotation) in CLASS_VARIABLE:
                    members[name] = name
    return members


def _package(entry: EntryPoint) -> str:
    """Return the name of the package that brings an entry point."""
    return entry.dist.name if entry.dist is not None else OURS
