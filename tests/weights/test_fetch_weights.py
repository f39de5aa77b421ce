"""From names to files: what is shown, and what is said of a name or file that fails."""

import contextlib
import dataclasses
import hashlib
import re
import warnings
from pathlib import Path

import pytest

import keras_deeplab
from keras_deeplab.weights import WeightsRow, fetch_weights, find_row, manifest
from keras_deeplab.weights.download_error import DownloadError
from keras_deeplab.weights.fetch_weights import fetch_row, nearest_names
from tests.weights import bad_server
from tests.weights.bad_server import BadServer, serve

DATA = b"PK" + bytes(2_500_000)


def row_of(*urls: str, data: bytes = DATA) -> WeightsRow:
    """Of a file `own.keras`: with no urls, that of the package."""
    return dataclasses.replace(
        manifest()["xception65_imagenet"],
        name="own",
        file="own.keras",
        urls=urls,
        bytes=len(data),
        digest=hashlib.sha256(data).hexdigest(),
        algorithm="sha256",
    )


# Names.


def test_row_of_an_unknown_name_is_an_error_that_names_the_near_ones() -> None:
    name = "deeplabv3plus_xception65_citiscapes"
    with pytest.raises(ValueError, match=r"^`name` must be one that") as caught:
        find_row(name)
    message = str(caught.value)
    near = re.findall(r"\w*_cityscapes", message)
    assert near[0] == "deeplabv3plus_xception65_cityscapes"
    assert message.count("imagenet") == 0
    assert message.endswith(f" Received: name={name!r}")


def test_row_of_a_data_set_is_an_error_that_names_its_weights() -> None:
    with pytest.raises(ValueError, match="Of the data set ade20k there are") as caught:
        fetch_weights("ade20k")
    assert str(caught.value) == (
        "`name` must be one that `keras-deeplab weights list` shows. Of the data set "
        "ade20k there are deeplabv3plus_mobilenet_v2_ade20k, "
        "deeplabv3plus_xception65_ade20k. Received: name='ade20k'"
    )


def test_nearest_names_of_nothing_like_a_name_are_none() -> None:
    assert nearest_names("q") == nearest_names("") == ""


# The bar.


def shown(printed: str) -> list[str]:
    """What a bar showed, one after the other, without colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m|[\b━]", "", printed)
    return [part for part in re.split(r"[\r\n]", plain) if part.strip()]


@pytest.mark.parametrize(
    ("stated", "last"), [(True, r"3/3 .*"), (False, r"\s+3/Unknown .*")]
)
def test_fetch_shows_megabytes_and_ends_its_line(
    stated: bool,
    last: str,
    server: BadServer,
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = server.add("a", serve(DATA) if stated else bad_server.chunked(DATA))
    row = row_of(url) if stated else dataclasses.replace(row_of(url), bytes=None)
    assert fetch_row(row) == home / "own.keras"
    printed = capsys.readouterr().out
    assert printed.endswith("\n")
    assert printed.count("\n") == 1
    assert re.fullmatch(last + r"/MB of own\.keras\s*", shown(printed)[-1])
    # There is nothing to show of a file that is there.
    fetch_row(row)
    assert capsys.readouterr().out == ""


def test_fetch_that_fails_midway_ends_its_line(
    server: BadServer, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = server.add("a", serve(DATA, stop=1_200_000), bad_server.status(500))
    with pytest.raises(DownloadError, match="500"):
        fetch_row(row_of(url))
    printed = capsys.readouterr().out
    assert printed.endswith("\n")
    assert shown(printed)[-1].startswith("2/3 ")


# The line that a warning is about.


def test_fetch_without_digest_warns_of_the_users_line(home: Path) -> None:
    row = manifest()["deeplabv3_mobilenet_v2_050_pascal_voc"]
    # It is trusted, and then it is no archive.
    (home / row.file).write_bytes(b"\x1f\x8b")
    calls = (
        lambda: fetch_weights(row.name),
        lambda: keras_deeplab.load_model(row.name),
        lambda: keras_deeplab.DeepLabV3("mobilenet_v2", weights=row.name),
    )
    for call in calls:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with contextlib.suppress(OSError):
                call()
        assert [warning.filename for warning in caught] == [__file__]
        (home / f".{row.file}.pin.json").unlink()


# Files of the package.


def test_fetch_of_a_file_of_the_package_checks_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keras_deeplab.weights.weights_row.ASSETS", tmp_path / "in")
    path = tmp_path / "in" / "own.keras"
    path.parent.mkdir()
    said = r"^The package's own file of own .*{}.* Install the package again\. Received"
    with pytest.raises(DownloadError, match=said.format("No such file")):
        fetch_row(row_of())
    for wrong, fault in (
        (DATA[:-1] + b"a", "its sha256 is"),
        (DATA[:-1], "bytes, not"),
        (b"<" + DATA[1:], "it begins with b'<K"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(DownloadError, match=said.format(fault)) as caught:
            fetch_row(row_of())
        assert str(caught.value).endswith(f"file={str(path)!r}")
        assert path.read_bytes() == wrong
    path.write_bytes(DATA)
    assert fetch_row(row_of()) == path
    assert list(home.iterdir()) == []
