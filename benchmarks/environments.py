"""The environments of the peers, each with its own Python packages from pip."""

import dataclasses
import pathlib
import subprocess
import sys
import venv

# Written last, so that an installation that was cut off is not taken for a whole one.
DONE = "installed.txt"


@dataclasses.dataclass(frozen=True)
class Environment:
    """Pinned packages of a peer."""

    name: str
    packages: tuple[str, ...]

    def python(self, folder: pathlib.Path) -> pathlib.Path:
        """The interpreter of the environment in a folder; installs what is missing.

        Raises:
            OSError: If pip cannot install the packages; with the end of what it says.
        """
        home = folder / self.name
        python = home / "bin" / "python"
        wanted = "\n".join(self.packages)
        done = home / DONE
        if done.exists() and done.read_text() == wanted:
            return python
        print(f"Installing {', '.join(self.packages)}", file=sys.stderr, flush=True)
        venv.create(home, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", *self.packages]
        pip = subprocess.run(install, capture_output=True, text=True, check=False)
        if pip.returncode:
            said = pip.stderr.strip().splitlines()[-3:]
            raise OSError(f"{self.name} cannot be installed: {' '.join(said)}")
        done.write_text(wanted)
        return python


HUB = Environment(
    "keras_hub", ("keras-hub==0.32.0", "keras==3.15.1", "tensorflow==2.21.0")
)
GARDEN = Environment("model_garden", ("tf-models-official==2.20.0",))
SMP = Environment(
    "smp",
    (
        "segmentation-models-pytorch==0.5.0",
        # A fixed pair: torchvision loads with the PyTorch it was built for alone.
        "torch==2.14.1",
        "torchvision==0.29.1",
    ),
)
