import json
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from keras_deeplab._file_lock import lock_file
from keras_deeplab.weights.cache import cache_folder, pin_path, read_pin, write_pin
from keras_deeplab.weights.download_error import DownloadError

LOCK_WORKER = Path(__file__).with_name("lock_worker.py")


def test_cache_folder_when_home_is_set_is_made_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(tmp_path / "a" / "b"))
    assert cache_folder() == tmp_path / "a" / "b"
    assert cache_folder().is_dir()


def test_cache_folder_without_home_is_in_the_folder_of_keras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KERAS_DEEPLAB_HOME", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "k"))
    assert cache_folder() == tmp_path / "k" / "keras_deeplab"
    monkeypatch.delenv("KERAS_HOME")
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert cache_folder() == tmp_path / ".keras" / "keras_deeplab"


def test_cache_folder_given_relative_or_with_tilde_is_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", "here")
    assert cache_folder() == tmp_path / "here"
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", "~/there")
    assert cache_folder() == tmp_path / "there"


def test_cache_folder_that_is_a_file_is_named_in_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(DownloadError, match=r"Set KERAS_DEEPLAB_HOME .* folder='.*bel"):
        cache_folder()


def test_cache_folder_that_may_not_be_made_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Simulated: an administrator may make any folder.
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(tmp_path / "new"))
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DownloadError, match="Permission denied"):
        cache_folder()


def test_pin_when_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    assert read_pin(path) is None
    write_pin(path, "ab" * 32)
    assert read_pin(path) == "ab" * 32
    assert json.loads(pin_path(path).read_text())["file"] == "a.h5"
    assert list(tmp_path.iterdir()) == [pin_path(path)]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"sha256": 1}', '{"sha256": "AB"}', "[" * 100_000],
    ids=["empty", "cut", "list", "null", "bare", "number", "short", "deep"],
)
def test_pin_when_damaged_is_an_error_and_not_forgotten(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.h5"
    pin_path(path).write_text(text)
    with pytest.raises(DownloadError, match=r"Delete its file .* file='.*a\.h5\.pin"):
        read_pin(path)
    assert pin_path(path).exists()


def test_pin_when_writing_fails_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.h5"
    write_pin(path, "ab" * 32)

    def fail(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_pin(path, "cd" * 32)
    assert read_pin(path) == "ab" * 32
    assert list(tmp_path.iterdir()) == [pin_path(path)]


def test_lock_when_held_by_a_thread_keeps_another_off(tmp_path: Path) -> None:
    order: list[str] = []

    def other() -> None:
        with lock_file(tmp_path / "a"):
            order.append("other")

    with lock_file(tmp_path / "a"):
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(5)
    assert order == ["first", "other"]


def test_lock_of_another_file_does_not_wait(tmp_path: Path) -> None:
    with lock_file(tmp_path / "a"), lock_file(tmp_path / "b"):
        pass


def test_lock_after_an_error_is_free(tmp_path: Path) -> None:
    with pytest.raises(KeyError), lock_file(tmp_path / "a"):
        raise KeyError
    with lock_file(tmp_path / "a"):
        pass


def test_lock_when_its_holder_is_killed_is_free(tmp_path: Path) -> None:
    command = [sys.executable, str(LOCK_WORKER), str(tmp_path / "a")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        taken = threading.Event()

        def take() -> None:
            with lock_file(tmp_path / "a"):
                taken.set()

        thread = threading.Thread(target=take)
        thread.start()
        assert not taken.wait(0.3)
        holder.kill()
        assert taken.wait(5)
        thread.join(5)
    # What is left is the hidden file, which locks nothing by being there.
    assert [path.name for path in tmp_path.iterdir()] == [".a.lock"]


def test_lock_file_made_by_a_dead_process_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / ".a.lock").write_text("12345")
    with lock_file(tmp_path / "a"):
        pass
    assert stat.S_ISREG((tmp_path / ".a.lock").stat().st_mode)
