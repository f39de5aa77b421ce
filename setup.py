"""How keras_deeplab is packaged; the settings of its tools are in pyproject.toml."""

import pathlib
import runpy

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = pathlib.Path(__file__).parent
# The first names the second as a file beside it.
MANIFEST = ("weights_manifest.json", "weights_manifest.schema.json")

# To read TensorFlow Datasets, and to make one; it imports the second, but does not
# require it.
TFDS = ["tensorflow-datasets>=4.9.10", "importlib_resources"]

# Of examples/serving/client.py, to speak gRPC.
SERVING = ["tensorflow-serving-api>=2.20"]


class BuildPy(build_py):
    """Ships the manifest of weights, and its schema, inside the package.

    They stand at the top of the repository, where people look for them; package
    data can only name files that lie inside the package.
    """

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = pathlib.Path(self.build_lib) / "keras_deeplab" / "weights"
            self.mkpath(str(target))
            for name in MANIFEST:
                self.copy_file(str(ROOT / name), str(target / name))


setup(
    name="keras-deeplab",
    version=runpy.run_path(str(ROOT / "keras_deeplab" / "_version.py"))["__version__"],
    description="The DeepLab family in Keras 3: V1, V2, V3, V3+ and LR-ASPP.",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="deeplab semantic segmentation keras tensorflow tflite",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
    packages=find_packages(include=["keras_deeplab*"]),
    package_data={"keras_deeplab": ["py.typed", "assets/*", "demo/page/*"]},
    cmdclass={"build_py": BuildPy},
    # TensorFlow has no wheels for 3.14 and Keras 3.13 on needs 3.11.
    python_requires=">=3.11,<3.14",
    # The lower bounds are installed and tried in tests/test_packaging.py.
    install_requires=[
        "ai-edge-litert>=2.0.2",
        "flatbuffers>=24.3.25",
        "keras>=3.12",
        "numpy>=1.26",
        "pillow>=11",
        "rich>=14.3",
        # The first with wheels for Python 3.13.
        "tensorflow>=2.20",
        "typer>=0.29",
    ],
    extras_require={
        # The other backends of Keras.
        "backends": ["jax", "torch"],
        # What `inference.crf_reference` runs; it builds on these Pythons only.
        "crf": ['pydensecrf2; python_version<"3.13"'],
        "dev": [
            "build",
            # Of tests/reliability.
            "hypothesis>=6.140",
            "jsonschema>=4.20",
            # Of the tests of examples/serving.
            "kubernetes-validate>=1.34",
            "mypy>=1.18",
            "pytest>=9",
            "pytest-xdist>=3.6",
            "pyyaml",
            "ruff>=0.15",
            *SERVING,
            *TFDS,
        ],
        # The site, of which Ruff formats the signatures, and the check of notebooks.
        "docs": [
            "mkdocs>=1.6,<2",
            "mkdocs-material>=9.6",
            "mkdocstrings[python]>=1",
            "nbformat>=5.10",
            "ruff>=0.15",
        ],
        "serving": SERVING,
        # What `export.to_onnx` converts with and is checked by.
        "onnx": ["onnx>=1.17", "onnxruntime>=1.20", "tf2onnx>=1.17"],
        "tfds": TFDS,
        # `keras-deeplab train` then writes what it shows.
        "tensorboard": ["tensorboard>=2.20"],
        # Of examples/train_ray.py.
        "ray": ["ray[train]>=2.60"],
    },
    entry_points={"console_scripts": ["keras-deeplab = keras_deeplab_cli:main"]},
)
