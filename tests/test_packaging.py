"""The wheel and the sdist, installed into new environments."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest

from keras_deeplab._version import __version__
from tests.conftest import lack

ROOT = pathlib.Path(__file__).parents[1]
INFO = f"keras_deeplab-{__version__}.dist-info"
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
OLDER, NEWER = sorted({"3.11", "3.12", "3.13"} - {RUNNING})

PHOTOS = tuple(
    f"keras_deeplab/assets/{name}.jpg" for name in ("astronaut", "cat", "promenade")
)

# What a newcomer does first, and where the package that did it lies.
FIRST_STEPS = """
import keras, keras_deeplab
model = keras_deeplab.DeepLabV3(backbone="mobilenet_v2", classes=3)
print(keras_deeplab.__file__, tuple(model(keras.ops.zeros((1, 65, 65, 3))).shape))
"""

pytestmark = pytest.mark.slow


def run(*command: object, cwd: pathlib.Path) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def find_python(version: str) -> str | None:
    pyenv = pathlib.Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
    for candidate in [f"python{version}", *map(str, sorted(pyenv))]:
        # One that is found may still not run: pyenv's shims need to be switched on.
        if shutil.which(candidate) and not subprocess.call(
            [candidate, "-c", ""], stderr=subprocess.DEVNULL
        ):
            return candidate
    return None


def check_installed(environment: pathlib.Path) -> None:
    """Takes the first steps with what is installed, away from the checkout."""
    bin_dir = environment / "bin"
    output = run(bin_dir / "python", "-c", FIRST_STEPS, cwd=environment)
    assert output.startswith(str(environment / "lib"))
    assert output.endswith("(1, 65, 65, 3)\n")
    assert "segment" in run(bin_dir / "keras-deeplab", "--help", cwd=environment)


def lower_bounds(wheel: pathlib.Path) -> list[str]:
    """The oldest version of everything that the package requires."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{INFO}/METADATA").decode()
    bounds = re.findall(r"^Requires-Dist: (\S+>=\S+)$", metadata, re.MULTILINE)
    assert any(bound.startswith("tensorflow") for bound in bounds)
    return [bound.replace(">=", "==") for bound in bounds]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    """The sdist, and the wheel built from it."""
    # From a copy: an older build lying in the checkout would mix in.
    source = tmp_path_factory.mktemp("build") / "source"
    leftovers = shutil.ignore_patterns(".*", "*.egg-info", "build", "demo", "dist")
    shutil.copytree(ROOT, source, ignore=leftovers)
    run(sys.executable, "-m", "build", source, cwd=source.parent)
    (sdist,) = source.glob("dist/*.tar.gz")
    (wheel,) = source.glob("dist/*.whl")
    return {"sdist": sdist, "wheel": wheel}


def test_wheel_when_built_holds_both_packages_and_their_data(
    built: dict[str, pathlib.Path],
) -> None:
    with zipfile.ZipFile(built["wheel"]) as archive:
        names = set(archive.namelist())
    assert {
        *PHOTOS,
        "keras_deeplab/py.typed",
        # From the top of the repository.
        "keras_deeplab/weights/weights_manifest.json",
        "keras_deeplab/weights/weights_manifest.schema.json",
        f"{INFO}/entry_points.txt",
        f"{INFO}/licenses/LICENSE",
    } <= names
    top = {name.split("/")[0] for name in names}
    assert top == {"keras_deeplab", "keras_deeplab_cli", INFO}


def test_sdist_when_built_holds_the_project(
    built: dict[str, pathlib.Path],
) -> None:
    root = f"keras_deeplab-{__version__}"
    with tarfile.open(built["sdist"]) as archive:
        names = {name.removeprefix(f"{root}/") for name in archive.getnames()}
    assert {
        *PHOTOS,
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "benchmarks/tflite_operations.py",
        "conftest.py",
        "docs/promenade.overlay.png",
        "examples/segment.py",
        "pyproject.toml",
        "scripts/test",
        "tests/conftest.py",
        "tests/test_packaging.py",
        "weights_manifest.json",
        "weights_manifest.schema.json",
    } <= names


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_package_when_installed_alone_takes_the_first_steps(
    kind: str, built: dict[str, pathlib.Path], tmp_path: pathlib.Path
) -> None:
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=tmp_path)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python]
    run(*pip, "install", "--no-deps", built[kind], cwd=tmp_path)
    # TensorFlow and the others come from the environment that runs the tests.
    site = environment / "lib" / f"python{RUNNING}" / "site-packages"
    (site / "requirements.pth").write_text(sysconfig.get_path("purelib"))
    check_installed(environment)


@pytest.mark.skipif(
    os.environ.get("KERAS_DEEPLAB_TEST_INSTALLS") != "1",
    reason="Installs TensorFlow once more: set KERAS_DEEPLAB_TEST_INSTALLS=1.",
)
@pytest.mark.parametrize(("version", "oldest"), [(OLDER, True), (NEWER, False)])
def test_package_when_installed_on_another_python_takes_the_first_steps(
    version: str,
    oldest: bool,
    built: dict[str, pathlib.Path],
    tmp_path: pathlib.Path,
) -> None:
    python = find_python(version)
    if python is None:
        lack("PYTHONS", f"No Python {version} on this machine.")
    environment = tmp_path / "environment"
    requirements = lower_bounds(built["wheel"]) if oldest else []
    run(python, "-m", "venv", environment, cwd=tmp_path)
    pip = environment / "bin" / "pip"
    run(pip, "install", built["sdist"], *requirements, cwd=tmp_path)
    run(pip, "check", cwd=tmp_path)
    check_installed(environment)
