"""What is published: a wheel, built from the source distribution, used far from the repository."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import imageio.v3 as imageio
import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
SHIPPED = ("models", "data/sample")
HATCHLING = (sys.executable, "-m", "hatchling", "build")


def run(*command: object, cwd: Path) -> str:
    """Run a program without the repository on its path, and return what it wrote to stdout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the source distribution, and the wheel from it."""
    folder = tmp_path_factory.mktemp("distributions")
    run(*HATCHLING, "-t", "sdist", "-d", folder, cwd=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    source = archive.name.removesuffix(".tar.gz")
    run(*HATCHLING, "-t", "wheel", "-d", folder, cwd=folder / source)
    (built,) = folder.glob("*.whl")
    return built


def files(folder: Path) -> list[Path]:
    """Return the files of a folder that belong to the project."""
    every = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in every if "__pycache__" not in path.parts]


def test_the_wheel_holds_the_package_and_what_it_reads(wheel):
    package = {path.relative_to(ROOT).as_posix() for path in files(ROOT / "visual_foresight")}
    shipped = {
        f"visual_foresight/shipped/{path.relative_to(ROOT).as_posix()}"
        for folder in SHIPPED
        for path in files(ROOT / folder)
    }
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert names == package | shipped
    for data in (
        "gui/page/styles.css",
        "evaluation/report/report.html.jinja",
        "evaluation/control/ceilings/near_fast.json",
        "predictors/past_names.json",
        "py.typed",
        "shipped/models/rigid/weights.safetensors",
        "shipped/models/flow/weights.safetensors",
        "shipped/data/sample/dataset.json",
    ):
        assert f"visual_foresight/{data}" in names


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Install the wheel alone into an empty venv that borrows the packages of this one."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=ROOT)
    python = venv / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=venv)
    (site,) = venv.glob("lib/python*/site-packages")
    borrowed = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "borrowed.pth").write_text("\n".join(borrowed))
    return venv / "bin"


def test_the_installed_package_is_the_one_of_the_wheel(installed, tmp_path):
    code = "import visual_foresight; print(visual_foresight.__file__)"
    place = Path(run(installed / "python", "-c", code, cwd=tmp_path).strip())
    assert place.is_relative_to(installed.parent)


def test_an_installed_plan_reaches_its_goal(installed, tmp_path):
    words = ("plan", "--seed", "3", "--preset", "fast")
    said = run(installed / "visual-foresight", *words, cwd=tmp_path)
    assert "success: True" in said
    (animation,) = tmp_path.rglob("*.gif")
    assert f"animation: {animation}" in said
    assert imageio.improps(animation, index=None, plugin="pillow").shape[0] > 20


def test_the_installed_sample_is_sound(installed, tmp_path):
    code = "import visual_foresight; print(visual_foresight.__path__[0])"
    package = Path(run(installed / "python", "-c", code, cwd=tmp_path).strip())
    sample = package / "shipped" / "data" / "sample"
    words = ("validate", "--folder", sample)
    said = run(installed / "visual-foresight", *words, cwd=tmp_path)
    named = run(installed / "visual-foresight", *words[:2], "data/sample", cwd=tmp_path)
    assert named.splitlines()[1:] == said.splitlines()[1:], "as the README calls it"
    assert f"sound_episodes: {len(list(sample.glob('*.hdf5')))}" in said
