"""Packages at fault: one sentence and exit code 2, through the command line."""

import sys
from pathlib import Path

import pytest

from tests.fakes.packages import install
from visual_foresight.cli import main

PLAN = "plan --env dot --model still --preset fast --source 53,40 --goal 20,20 --device cpu"
TRAIN = "train broken --data data/sample --out run"
COLLECT = "collect --env dot --folder data --episodes 1 --steps 3 --workers 1"


def refusal(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one sentence of a command that is refused."""
    with pytest.raises(SystemExit) as caught:
        main(words.split())
    said = capsys.readouterr()
    assert caught.value.code == 2 and not said.out and "Traceback" not in said.err
    return said.err.strip().splitlines()[-1]


@pytest.fixture
def broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> str:
    """Install a package whose module is what the parameter says; return the group of its part."""
    group, text = request.param
    name = f"broken_{group}"
    monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / f"{name}.py").write_text(text)
    install(tmp_path, "broken-parts", {group: {"broken": f"{name}:Broken"}})
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return str(group)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (("costs", "import no_such_module"), f"{PLAN} --cost broken"),
        (("planners", "1 / 0"), f"{PLAN} --planner broken"),
        (("locators", "Other = 1"), f"{PLAN} --locator broken"),
        (("predictors", "class Broken"), TRAIN),
        (("envs", "import no_such_module"), f"{COLLECT} --env broken"),
        (("explorers", "import no_such_module"), f"{COLLECT} --explorer broken"),
    ],
    indirect=["broken"],
)
def test_what_cannot_be_imported_names_its_package(
    broken: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal(words, capsys)
    assert "'broken' of the package broken-parts cannot be imported (" in said
    assert said.endswith("repair that package, or uninstall it")


@pytest.mark.parametrize(
    ("broken", "words", "missing"),
    [
        (
            ("costs", "class Broken:\n def needs(self): ..."),
            f"{PLAN} --cost broken",
            "__call__",
        ),
        (
            ("locators", "class Broken:\n def begin(self, clip, sources): ..."),
            f"{PLAN} --locator broken",
            "locate()",
        ),
        (
            ("planners", "class Broken:\n presets = {'default': 1, 'fast': 1}"),
            f"{PLAN} --planner broken",
            "plan()",
        ),
        (
            ("envs", "class Broken:\n def reset(self): ..."),
            f"{COLLECT} --env broken",
            "step()",
        ),
        (
            ("explorers", "class Broken:\n def __init__(self, info, find_targets): ..."),
            f"{COLLECT} --explorer broken",
            "act()",
        ),
    ],
    indirect=["broken"],
)
def test_a_missing_method_is_named(
    broken: str, words: str, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = broken.removesuffix("s")
    assert f"the {kind} 'broken' has no {missing}" in refusal(words, capsys)


def test_a_predictor_that_is_no_model_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, "broken-parts", {"predictors": {"broken": "collections:Counter"}})
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "broken" in refusal(TRAIN, capsys)


def test_two_packages_of_one_name_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ("one-parts", "other-parts"):
        install(tmp_path, package, {"costs": {"twice": "pathlib:Path"}})
    monkeypatch.syspath_prepend(str(tmp_path))
    said = refusal(f"{PLAN} --cost twice", capsys)
    assert "the cost 'twice' is brought by one-parts and other-parts: uninstall one" in said
