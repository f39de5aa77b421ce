import pathlib
import webbrowser
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from keras_deeplab.demo import DemoServer
from tests.inference.color_model import ColorModel

Run = Callable[..., Result]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[DemoServer]:
    """The servers that were started, which end at once as by Ctrl-C."""
    servers: list[DemoServer] = []

    def serve(server: DemoServer, *_: Any) -> None:
        servers.append(server)
        raise KeyboardInterrupt

    monkeypatch.setattr(DemoServer, "serve_forever", serve)
    return servers


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    urls: list[str] = []
    monkeypatch.setattr(webbrowser, "open", urls.append)
    return urls


def test_demo_serves_the_named_model_first_and_ends_by_ctrl_c(
    run: Run, served: list[DemoServer], opened: list[str], model: ColorModel
) -> None:
    result = run("demo", "--weights", "runs/best.keras", "--port", 0, "--crf", "v2")
    assert result.exit_code == 130, result.output
    (server,) = served
    assert opened == [server.url]
    assert server.url in result.stdout
    assert "Ended." in result.stdout
    assert server.server_address[0] == "127.0.0.1"
    names = [choice.name for choice in server.demo.choices]
    assert names == [
        "best.keras",
        "deeplabv3plus_mobilenet_v2_camvid",
        "deeplabv3plus_mobilenet_v2_035_camvid",
    ]
    assert server.demo.choices[0].source == "runs/best.keras"


def test_file_called_like_weights_of_the_package_goes_by_its_whole_path(
    run: Run, served: list[DemoServer]
) -> None:
    name = "deeplabv3plus_mobilenet_v2_camvid"
    words = ["demo", "--no-browser", "--port", 0, "--weights", f"runs/{name}"]
    assert run(*words).exit_code == 130
    choices = served[0].demo.choices
    assert [(choice.name, choice.source) for choice in choices[:2]] == [
        (f"runs/{name}", f"runs/{name}"),
        (name, name),
    ]


def test_demo_by_a_name_and_without_a_browser(
    run: Run, served: list[DemoServer], opened: list[str]
) -> None:
    name = "deeplabv3plus_mobilenet_v2_035_camvid"
    words = ["demo", "--no-browser", "--port", 0]
    assert run(*words, "--weights", name).exit_code == 130
    assert run(*words).exit_code == 130
    assert opened == []
    first, second = (server.demo.choices for server in served)
    assert first[0].name == name
    assert len(first) == len(second) == 2
    assert second[0].name == "deeplabv3plus_mobilenet_v2_camvid"
    assert [choice.about for choice in second] == [
        "DeepLabV3Plus on mobilenet_v2, trained on camvid",
        "DeepLabV3Plus on mobilenet_v2 of width 0.35, trained on camvid",
    ]


def test_demo_that_cannot_start_says_why_and_exits_with_2(
    run: Run, served: list[DemoServer], tmp_path: pathlib.Path
) -> None:
    assert run("demo", "--no-browser", "--port", 0).exit_code == 130
    with DemoServer(served[0].demo) as taken:
        port = taken.server_address[1]
        for words, message in (
            (["--weights", "broken"], "Error: --weights broken: A tensor is missing."),
            (["--crf", "v9"], "Error: --crf must be one of"),
            (["--host", "256.1.1.1"], "Error: --host 256.1.1.1 --port 0: "),
            (["--port", port], f"--port {port}: Address already in use"),
        ):
            result = run("demo", "--no-browser", "--port", 0, *words)
            assert result.exit_code == 2, result.output
            assert message in " ".join(result.stderr.split())
