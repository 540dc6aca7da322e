"""Registries: our own alternatives, those of installed packages, one sentence for each fault."""

from pathlib import Path
from typing import ClassVar, Protocol

import pytest

from tests.fakes.packages import install
from visual_foresight.system.plugins import Registry
from visual_foresight.types import UserError


class Walker(Protocol):
    """Something that walks."""

    legs: ClassVar[int]

    def walk(self, steps: int) -> int: ...

    @classmethod
    def born(cls) -> "Walker": ...


OWN = {"counter": "collections:Counter", "path": "pathlib:Path"}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.syspath_prepend(str(tmp_path))
    return Registry("walker", "walkers", OWN, Walker)


def test_our_own_are_found_by_name(registry: Registry) -> None:
    assert list(registry) == ["counter", "path"] and len(registry) == 2
    assert registry["path"] is Path
    assert "path" in registry and "other" not in registry


def test_an_installed_package_is_enough(registry: Registry, tmp_path: Path) -> None:
    install(tmp_path, "legs", {"walkers": {"biped": "legs_module:Biped"}})
    (tmp_path / "legs_module.py").write_text(
        "class Biped:\n    legs = 2\n    def walk(self, steps): return 2 * steps\n"
        "    @classmethod\n    def born(cls): return cls()\n"
    )
    assert list(registry) == ["counter", "path", "biped"]
    assert registry.require("biped", registry["biped"])().walk(3) == 6


def test_an_unknown_name_lists_what_there_is(registry: Registry) -> None:
    with pytest.raises(UserError, match="unknown walker 'snail': choose one of counter, path"):
        registry["snail"]


def test_what_cannot_be_imported_names_its_package(registry: Registry, tmp_path: Path) -> None:
    install(tmp_path, "broken-legs", {"walkers": {"biped": "no_such_module:Biped"}})
    with pytest.raises(
        UserError, match="'biped' of the package broken-legs cannot be imported"
    ):
        registry["biped"]


@pytest.mark.parametrize("name", ["biped", "path"])
def test_two_of_one_name_are_refused(registry: Registry, tmp_path: Path, name: str) -> None:
    for package in ("one-legs", "other-legs"):
        install(tmp_path, package, {"walkers": {name: "pathlib:Path"}})
    with pytest.raises(UserError, match="one-legs and other-legs.*uninstall one"):
        registry[name]


def test_a_missing_method_is_named(registry: Registry) -> None:
    with pytest.raises(UserError, match=r"'path' has no walk\(\)"):
        registry.require("path", registry["path"])


def test_a_class_of_a_package_that_breaks_its_promise_is_refused(
    registry: Registry, tmp_path: Path
) -> None:
    install(tmp_path, "fins", {"walkers": {"fish": "pathlib:Path"}})
    with pytest.raises(UserError, match=r"'fish' has no walk\(\).*uninstall the package"):
        registry["fish"]


def test_a_value_and_a_maker_of_the_class_are_asked_for_as_well(registry: Registry) -> None:
    class Snake:
        def walk(self, steps: int) -> int:
            return 0

    with pytest.raises(UserError, match=r"'snake' has no born\(\), which every walker needs"):
        registry.require("snake", Snake)

    class Mollusc(Snake):
        @classmethod
        def born(cls) -> "Mollusc":
            return cls()

    with pytest.raises(UserError, match="'mollusc' has no legs, which every walker needs"):
        registry.require("mollusc", Mollusc)
