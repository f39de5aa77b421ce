"""The Android example, as far as it goes without Android's SDK."""

import importlib.util
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ET

import pytest

from tests.conftest import ROOT
from tests.devices.conftest import installed, lack_of, program, run

ANDROID = ROOT / "examples" / "android"
RESOURCES = ANDROID / "core/src/test/resources"
MAIN = ANDROID / "app/src/main"
FRAMEWORK = pathlib.Path("/usr/share/android-framework-res/framework-res.apk")
DECLARATIONS = pathlib.Path(__file__).with_name("android_declarations.txt")
NAMESPACE = "deeplab.app"
NAME = "{http://schemas.android.com/apk/res/android}name"


def test_golden_numbers_are_those_of_the_package() -> None:
    path = ANDROID / "golden.py"
    spec = importlib.util.spec_from_file_location("golden", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.OUT.read_text(encoding="utf-8") == module.as_json()


def kotlin_library(name: str) -> pathlib.Path:
    """A library that the compiler brings along."""
    return installed("tools", "node_modules", "kotlin-compiler", "lib") / f"{name}.jar"


def java_library(name: str) -> pathlib.Path:
    """A library that Debian packages."""
    path = pathlib.Path("/usr/share/java") / f"{name}.jar"
    return path if path.exists() else pathlib.Path(lack_of(str(path)))


def compile_kotlin(
    out: pathlib.Path, *sources: pathlib.Path, libraries: tuple[pathlib.Path, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Compiles Kotlin for the JVM."""
    jars = kotlin_library("kotlin-compiler").with_name("*")
    command = (program("java"), "-Xmx1g", "-cp", str(jars))
    options = ("-no-stdlib", "-no-reflect", "-jvm-target", "17")
    paths = ":".join(map(str, (kotlin_library("kotlin-stdlib"), *libraries)))
    return subprocess.run(
        [
            *command,
            "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
            *options,
            *("-cp", paths, "-d", str(out), *map(str, sources)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_kotlin_without_android_passes_its_tests(tmp_path: pathlib.Path) -> None:
    libraries = tuple(map(java_library, ("junit4", "hamcrest-core", "json-android")))
    core = ANDROID / "core/src"
    done = compile_kotlin(
        tmp_path, core / "main/kotlin", core / "test/kotlin", libraries=libraries
    )
    assert (done.returncode, done.stderr) == (0, "")
    stdlib = kotlin_library("kotlin-stdlib")
    paths = ":".join(map(str, (tmp_path, RESOURCES, stdlib, *libraries)))
    tests = [path.stem for path in (core / "test/kotlin").rglob("*Test.kt")]
    said = run(
        program("java"),
        *("-cp", paths, "org.junit.runner.JUnitCore"),
        *(f"deeplab.core.{name}" for name in tests),
    )
    count = (core / "test/kotlin/deeplab/core/CoreTest.kt").read_text().count("@Test\n")
    assert f"OK ({count} tests)" in said


@pytest.mark.slow
def test_kotlin_of_the_app_compiles_against_declarations_of_its_libraries(
    tmp_path: pathlib.Path,
) -> None:
    """They were written from documentation, so this finds slips of the app alone."""
    declared = tmp_path / "declared"
    declared.mkdir()
    _, *packages = re.split(
        r"^(?=package )", DECLARATIONS.read_text("utf-8"), flags=re.M
    )
    for index, text in enumerate(packages):
        (declared / f"{index}.kt").write_text(text, encoding="utf-8")
    manifest = with_package((MAIN / "AndroidManifest.xml").read_text(encoding="utf-8"))
    assert package(declared, manifest).returncode == 0
    sources = (ANDROID / "core/src/main/kotlin", MAIN / "kotlin", declared)
    libraries = (
        java_library("json-android"),
        kotlin_library("kotlinx-coroutines-core-jvm"),
    )
    done = compile_kotlin(tmp_path / "out", *sources, libraries=libraries)
    slips = [line for line in done.stderr.splitlines() if f"{MAIN}" in line]
    assert (slips, done.returncode) == ([], 0), done.stderr


def with_package(text: str) -> str:
    """A manifest as it was before Gradle took the package's name from `namespace`."""
    return text.replace("<manifest ", f'<manifest package="{NAMESPACE}" ', 1)


def package(folder: pathlib.Path, manifest: str) -> subprocess.CompletedProcess[str]:
    """Has aapt package resources, assets and a manifest."""
    if not FRAMEWORK.exists():
        lack_of(str(FRAMEWORK))
    (folder / "AndroidManifest.xml").write_text(manifest, encoding="utf-8")
    words = [program("aapt"), "package", "-f", "-I", str(FRAMEWORK)]
    words += ["-M", str(folder / "AndroidManifest.xml"), "-S", str(MAIN / "res")]
    words += ["-A", str(MAIN / "assets"), "-F", str(folder / "app.apk")]
    words += ["-J", str(folder), "--min-sdk-version", "28"]
    words += ["--target-sdk-version", "29", "-0", "tflite"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_manifest_and_resources_are_packaged_by_aapt(tmp_path: pathlib.Path) -> None:
    manifest = with_package((MAIN / "AndroidManifest.xml").read_text(encoding="utf-8"))
    done = package(tmp_path, manifest)
    assert done.returncode == 0, done.stderr
    told = run(program("aapt"), "dump", "badging", tmp_path / "app.apk")
    assert f"launchable-activity: name='{NAMESPACE}.MainActivity'" in told
    assert "uses-permission: name='android.permission.CAMERA'" in told
    ids = (tmp_path / "R.java").read_text(encoding="utf-8")
    kotlin = "\n".join(path.read_text() for path in (MAIN / "kotlin").rglob("*.kt"))
    for kind, name in re.findall(r"\bR\.(\w+)\.(\w+)", kotlin):
        (block,) = re.findall(rf"static final class {kind} {{(.*?)}}", ids, re.S)
        assert f"int {name}=" in block
    wrong = manifest.replace("android:exported", "android:imported")
    assert "No resource identifier found" in package(tmp_path, wrong).stderr


def test_gradle_files_name_what_there_is() -> None:
    manifest = ET.parse(MAIN / "AndroidManifest.xml").getroot()
    (activity,) = manifest.iter("activity")
    app = (ANDROID / "app/build.gradle.kts").read_text(encoding="utf-8")
    assert f'namespace = "{NAMESPACE}"' in app
    path = pathlib.Path(*activity.attrib[NAME].split("."))
    assert (MAIN / "kotlin" / path.with_suffix(".kt")).is_file()
    catalog = (ANDROID / "gradle/libs.versions.toml").read_text(encoding="utf-8")
    for build in ANDROID.rglob("build.gradle.kts"):
        for alias in re.findall(r"\blibs\.([\w.]+)", build.read_text("utf-8")):
            name = alias.removeprefix("plugins.").replace(".", "-")
            assert re.search(rf"^{name} = ", catalog, re.M), alias
