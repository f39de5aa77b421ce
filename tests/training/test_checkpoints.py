import pathlib
import zipfile

import numpy as np
import pytest

from keras_deeplab.training.checkpoints import Checkpoints


def arrays(number: float) -> list[np.ndarray]:
    return [np.full((3, 2), number, "float32"), np.array(7), np.zeros(0, "uint32")]


def test_newest_is_what_was_saved_last_and_two_are_kept(
    tmp_path: pathlib.Path,
) -> None:
    checkpoints = Checkpoints(tmp_path / "new")
    assert checkpoints.newest() is None
    # Beyond nine, where names sort otherwise than numbers.
    for epoch in (8, 9, 10):
        path = checkpoints.save(epoch, arrays(epoch), {"rows": [{"loss": None}]})
    found = checkpoints.newest()
    assert found is not None
    assert (found.path, found.epoch) == (path, 10)
    assert found.facts == {"rows": [{"loss": None}]}
    for array, wanted in zip(found.arrays, arrays(10), strict=True):
        assert array.dtype == wanted.dtype
        np.testing.assert_array_equal(array, wanted)
    assert len(list((tmp_path / "new").iterdir())) == 2
    assert checkpoints.newest_path() == path


def cut(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip_a_bit(path: pathlib.Path) -> None:
    content = bytearray(path.read_bytes())
    start = content.index(np.float32(2).tobytes() * 6)
    content[start] ^= 1
    path.write_bytes(content)


def empty(path: pathlib.Path) -> None:
    path.write_bytes(b"")


def other_zip(path: pathlib.Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("something.npy", b"else")


@pytest.mark.parametrize("damage", [cut, flip_a_bit, empty, other_zip])
def test_damaged_checkpoint_is_passed_over(
    damage: object, tmp_path: pathlib.Path
) -> None:
    checkpoints = Checkpoints(tmp_path)
    for epoch in (1, 2):
        checkpoints.save(epoch, arrays(epoch), {})
    damage(tmp_path / "epoch-00002.npz")  # type: ignore[operator]
    with pytest.warns(UserWarning, match=r"epoch-00002\.npz is damaged"):
        found = checkpoints.newest()
    assert found is not None
    assert found.epoch == 1
    np.testing.assert_array_equal(found.arrays[0], arrays(1)[0])


def test_checkpoint_that_cannot_be_written_leaves_those_before(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, arrays(1), {})

    def fail(file: object, **content: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="no space"):
        checkpoints.save(2, arrays(2), {})
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-00001.npz"]


def test_file_that_is_still_being_written_is_no_checkpoint(
    tmp_path: pathlib.Path,
) -> None:
    Checkpoints(tmp_path).save(1, arrays(1), {})
    (tmp_path / "epoch-00001.npz").rename(tmp_path / ".5.part.epoch-00001.npz")
    assert Checkpoints(tmp_path).newest() is None
