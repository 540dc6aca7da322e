"""The command line through its real door, and what its user is told when something goes wrong."""

import dataclasses
import errno
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from visual_foresight import cli
from visual_foresight.types import UserError


def run(*words, cwd=None, stdout=subprocess.PIPE, **changes):
    """Run the program as its user does: in a process of its own, in a changed environment."""
    command = [sys.executable, "-m", "visual_foresight", *words]
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **changes},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_works_from_any_folder(tmp_path):
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert all(name in done.stdout for name in cli.COMMANDS)
    assert not done.stderr


def test_help_is_quick_because_it_imports_nothing_heavy():
    code = """
import sys
from visual_foresight import cli
try:
    cli.main(["--help"])
except SystemExit as done:
    print([name for name in ("torch", "numpy", "cv2", "tyro") if name in sys.modules])
    sys.exit(done.code)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "commands:" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_group_of_commands_has_help():
    done = run("evaluate", "--help")
    listed = done.stdout.split("commands:")[1]
    assert done.returncode == 0
    assert "evaluate control" in listed and "collect" not in listed


@pytest.mark.parametrize("words", [(), ("sing",), ("evaluate",), ("evaluate", "nothing")])
def test_an_unknown_command_exits_2_and_lists_the_known(words):
    done = run(*words)
    assert done.returncode == 2
    assert not done.stdout
    assert all(name in done.stderr for name in cli.COMMANDS)


def stopped(*words):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    return caught.value.code


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_and_refuses_unknown_flags(name, capfd):
    assert stopped(*name.split(), "--help") == 0
    said = capfd.readouterr().out
    assert "--json" in said
    assert cli.COMMANDS[name].summary[:40] in said
    assert stopped(*name.split(), "--no-such-flag") == 2
    assert "no-such-flag" in capfd.readouterr().err


@dataclass(frozen=True)
class SingConfig:
    """How to sing."""

    voice: str = "alto"
    """Which voice: soprano, alto, tenor
    (not always there) or bass."""
    notes: tuple[int, int] = (3, 5)


@pytest.fixture
def sing(monkeypatch):
    """Register a command that does what a test says."""
    song = ModuleType("visual_foresight.song")
    monkeypatch.setitem(sys.modules, song.__name__, song)
    monkeypatch.setattr(song, "SingConfig", SingConfig, raising=False)
    command = cli.Command("Sing a song.", config="song:SingConfig", work="song:sing")

    def register(work, **changes):
        monkeypatch.setattr(song, "sing", work, raising=False)
        for name, function in changes.items():
            monkeypatch.setattr(song, name, function, raising=False)
        parts: dict[str, Any] = {name: f"song:{name}" for name in changes}
        monkeypatch.setitem(cli.COMMANDS, "sing", replace(command, **parts))

    return register


def test_help_is_not_broken_where_the_source_is(sing, capfd):
    sing(lambda _: {})
    assert stopped("sing", "--help") == 0
    words = " ".join(capfd.readouterr().out.replace("│", " ").split())
    assert "soprano, alto, tenor (not always there) or bass. (default: alto)" in words


def test_flags_become_the_configuration(sing, capfd):
    sing(lambda config: {"voice": config.voice, "notes": config.notes})
    cli.main(["sing", "--voice", "bass", "--notes", "7", "8", "--json"])
    assert json.loads(capfd.readouterr().out) == {"voice": "bass", "notes": [7, 8]}


def test_json_is_alone_on_stdout_even_when_libraries_print(sing, capfd):
    def noisy(_):
        sys.stdout.write("chatter\n")
        os.write(1, b"native chatter\n")
        return {"rate": 0.5}

    sing(noisy)
    cli.main(["sing", "--json"])
    out, err = capfd.readouterr()
    assert json.loads(out) == {"rate": 0.5}
    assert "native chatter" in err
    assert "chatter" in err


def test_figures_for_people(sing, capfd):
    sing(lambda _: {"suites": {"near": {"rate": 0.123456, "interval": [0.1, 0.2]}}})
    cli.main(["sing"])
    assert (
        capfd.readouterr().out == "suites\n  near\n    rate: 0.1235\n    interval: 0.1, 0.2\n"
    )


def test_a_command_lays_out_its_figures_and_complains_of_them(sing, capfd):
    sing(
        lambda _: {"wrong_notes": 3},
        as_text=lambda figures: f"wrong: {figures['wrong_notes']}",
        complaint=lambda figures: "sing again" if figures["wrong_notes"] else None,
    )
    assert stopped("sing") == 2
    out, err = capfd.readouterr()
    assert out == "wrong: 3\n" and err == "visual-foresight: sing again\n"


def test_a_dataclass_of_figures_is_printed_as_a_mapping(sing, capfd):
    sing(lambda config: config)
    cli.main(["sing", "--json"])
    assert json.loads(capfd.readouterr().out) == {"voice": "alto", "notes": [3, 5]}


def test_a_figure_that_is_not_a_number_is_an_error(sing):
    sing(lambda _: {"rate": float("nan")})
    with pytest.raises(ValueError, match="Out of range"):
        cli.main(["sing", "--json"])


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (
            UserError("a horse was expected, got a cow"),
            2,
            "visual-foresight: a horse was expected, got a cow\n",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/a"),
            2,
            "the disk is full (runs/a): make room",
        ),
        (
            OSError("file write failed: No space left on device"),
            2,
            "the disk is full (which one is not known: that of the folder of results, or",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
            2,
            "name another one in TMPDIR",
        ),
        (
            OSError(errno.EMFILE, "Too many open files", "runs/a"),
            2,
            "cannot be used (runs/a): Too many open files",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/data"),
            2,
            "cannot be used (/data): Permission denied",
        ),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence(sing, capfd, error, code, sentence):
    def fail(_):
        raise error

    sing(fail)
    assert stopped("sing", "--json") == code
    out, err = capfd.readouterr()
    assert sentence in err
    assert err.count("\n") == 1
    assert not out


def test_a_bug_is_not_hidden(sing):
    def fail(_):
        raise OSError(errno.EIO, "the disk hums")

    sing(fail)
    with pytest.raises(OSError, match="hums"):
        cli.main(["sing"])


def test_a_bad_value_exits_2(sing, capfd):
    sing(lambda _: {})
    assert stopped("sing", "--notes", "do", "re") == 2
    assert "--notes" in capfd.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("words", [("--help",), ("evaluate", "--help"), ("validate", "--help")])
def test_what_cannot_be_printed_is_one_sentence(words):
    with open("/dev/full", "w") as full:
        done = run(*words, stdout=full)
    assert done.returncode == 2
    said = "stdout cannot be written (No space left on device): send it elsewhere"
    assert done.stderr == f"visual-foresight: {said}\n"


def test_a_closed_stdout_leads_nowhere_and_not_into_a_file():
    command = f"exec {sys.executable} -m visual_foresight"
    shell = ["sh", "-c", f"{command} validate --folder data/sample >&-"]
    done = subprocess.run(shell, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "Traceback" not in done.stderr


def test_a_tilde_is_the_home_folder_in_every_path(sing, capfd, monkeypatch, tmp_path):
    @dataclass(frozen=True)
    class Config:
        folder: Path
        others: tuple[Path, ...] = (Path("~/others"),)
        perhaps: Path | None = None
        text: str = "~"

    monkeypatch.setenv("HOME", str(tmp_path))
    sing(dataclasses.asdict)
    monkeypatch.setattr(sys.modules["visual_foresight.song"], "SingConfig", Config)
    cli.main(["sing", "--folder=~/a b", "--perhaps=~", "--json"])
    assert json.loads(capfd.readouterr().out) == {
        "folder": f"{tmp_path}/a b",
        "others": [f"{tmp_path}/others"],
        "perhaps": str(tmp_path),
        "text": "~",
    }
    assert stopped("sing", "--folder=~nobody-is-called-so/x") == 2
    assert "no home folder for '~nobody-is-called-so'" in capfd.readouterr().err


def test_names_that_are_no_text_are_printed_as_they_are(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    code = """
import sys, types
from visual_foresight import cli
song = sys.modules["visual_foresight.song"] = types.ModuleType("song")
song.sing = lambda config: {"song": config.folder}
cli.COMMANDS["sing"] = cli.Command("", config="cli:ValidateConfig", work="song:sing")
cli.main(["sing", "--folder", sys.argv[1]])
"""
    sung = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, check=True)
    assert sung.stdout == b"song: " + folder + b"\n"


def test_commands_that_run_beside_others_leave_them_the_cores(monkeypatch, capfd):
    asked = {}
    for name in ("plan", "gui", "collect", "train"):
        monkeypatch.setattr(
            cli, "set_up_threads", lambda sleep, name=name: asked.update({name: sleep})
        )
        stopped(name, "--no-such-flag")
    capfd.readouterr()
    assert asked == {"plan": True, "gui": True, "collect": False, "train": False}


def test_version(capfd):
    assert stopped("--version") == 0
    assert capfd.readouterr().out.startswith("visual-foresight ")


def test_a_reader_that_goes_away_is_no_error():
    code = """
import sys, types
from visual_foresight import cli
song = sys.modules["visual_foresight.song"] = types.ModuleType("song")
song.sing = lambda _: {"song": "la " * 99999}
cli.COMMANDS["sing"] = cli.Command("", config="cli:ValidateConfig", work="song:sing")
cli.main(["sing", "--folder", "."])
"""
    singer = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with singer:
        assert singer.stdout is not None and singer.stderr is not None
        singer.stdout.read(3)
        singer.stdout.close()
        assert not singer.stderr.read()
    assert singer.returncode == 141
