import base64
import dataclasses
import html.parser
import io
import pathlib
import re

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import SegmentationData
from keras_deeplab.inference import Evaluation, Measures, evaluate_data, write_report
from keras_deeplab.inference.report.confusion_map import largest_confusions
from keras_deeplab.metrics import TRIMAP_WIDTHS, SegmentationScores
from tests.inference.label_model import LabelModel
from tests.inference.test_evaluate_data import data_of

ALL = Measures(trimap=TRIMAP_WIDTHS, calibration=True, worst=3)
VOID = {"meta", "img"}
STRANGE = "<b>&\"a'</style><script>x</script>"


class Page(html.parser.HTMLParser):
    """The elements of a page, with their attributes and the text right in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[int] = []
        self.feed(text)
        self.close()
        assert self.open == [], "An element is not closed."

    def handle_starttag(self, name: str, attributes: list) -> None:
        self.found.append((name, dict(attributes), []))
        if name not in VOID:
            self.open.append(len(self.found) - 1)

    def handle_endtag(self, name: str) -> None:
        assert self.found[self.open.pop()][0] == name

    def handle_data(self, text: str) -> None:
        if self.open:
            self.found[self.open[-1]][2].append(text)

    def all(self, name: str, **attributes: str) -> list[tuple[dict[str, str], str]]:
        wanted = {key.rstrip("_"): value for key, value in attributes.items()}
        return [
            (given, "".join(text))
            for found, given, text in self.found
            if found == name and wanted.items() <= given.items()
        ]


def evaluation_of(
    folder: pathlib.Path, classes: int
) -> tuple[Evaluation, SegmentationData]:
    rng = np.random.default_rng(classes)
    photos = []
    for _ in range(4):
        truth = rng.integers(0, classes, (5, 8)).repeat(9, 0).repeat(9, 1)
        said = np.where(rng.random(truth.shape) < 0.3, truth * 0, truth)
        truth[:2] = 255
        photos.append((said, truth))
    data = data_of(folder, photos, classes)
    names = (STRANGE, *data.class_names[1:])
    data = dataclasses.replace(data, class_names=names)
    return evaluate_data(LabelModel(classes), data, measures=ALL), data


def page_of(path: pathlib.Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("classes", [2, 21, 150])
def test_report_of_any_number_of_classes_tells_the_scores(
    classes: int, tmp_path: pathlib.Path
) -> None:
    evaluation, data = evaluation_of(tmp_path, classes)
    path = tmp_path / "report.html"
    write_report(path, evaluation, data, title=STRANGE, command="run <this> & that")
    page = page_of(path)
    assert page.all("h1") == [({}, STRANGE)]
    assert page.all("pre") == [({}, "run <this> & that")]
    assert page.all("script") == []
    tiles = [text for _, text in page.all("b")]
    scores = evaluation.scores
    assert evaluation.calibration is not None
    assert tiles == [
        f"{100 * scores.mean_iou:.2f}",
        f"{100 * scores.pixel_accuracy:.2f}",
        f"{100 * evaluation.trimap[4].mean_iou:.2f}",
        f"{100 * evaluation.calibration.expected_error:.2f}",
        f"{evaluation.calibration.log_loss:.4f}",
        "4",
    ]
    titles = [text for _, text in page.all("h2")]
    assert titles == [
        "IoU of each class",
        "Confusion matrix",
        "Along boundaries",
        "Calibration",
        "Worst photos",
        "The same again",
    ]
    # Three photos in four pictures each.
    assert len(page.all("img")) == 12


def test_report_loads_nothing(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, *evaluation_of(tmp_path, 3))
    text = path.read_text(encoding="utf-8")
    assert "http" not in re.sub(r"base64,[^\"]*", "", text)
    for key in ("src", "href"):
        found = re.findall(rf' {key}="([^"]*)', text)
        assert all(address.startswith("data:image/") for address in found)
    assert "url(" not in text
    assert "@import" not in text


def test_bars_are_as_long_as_the_classes_are_good_and_sorted(
    tmp_path: pathlib.Path,
) -> None:
    evaluation, data = evaluation_of(tmp_path, 6)
    write_report(tmp_path / "a.html", evaluation, data)
    page = page_of(tmp_path / "a.html")
    known = sorted(evaluation.scores.class_iou, reverse=True)
    (whole,) = {float(track["width"]) for track, _ in page.all("rect", class_="track")}
    # Those of the reliability diagram are bars too, and have no height of 14.
    bars = [bar for bar, _ in page.all("rect", class_="bar", height="14")]
    lengths = [float(bar["width"]) / whole for bar in bars]
    assert lengths == pytest.approx(known, abs=1e-3)


def test_classes_that_are_absent_have_a_pale_bar_or_none(
    tmp_path: pathlib.Path,
) -> None:
    said, truth = np.array([[0, 1, 1, 0]] * 4), np.zeros((4, 4), int)
    data = data_of(tmp_path, [(said, truth)], 3)
    write_report(
        tmp_path / "a.html", evaluate_data(LabelModel(3), data, measures=ALL), data
    )
    page = page_of(tmp_path / "a.html")
    assert len(page.all("rect", class_="bar absent")) == 1
    assert "-" in [text for _, text in page.all("text", class_="faint")]
    assert "These masks have no boundary." in [text for _, text in page.all("p")]


def test_confusion_map_is_the_darker_the_larger_the_share(
    tmp_path: pathlib.Path,
) -> None:
    evaluation, data = evaluation_of(tmp_path, 7)
    write_report(tmp_path / "a.html", evaluation, data)
    ((image, _),) = page_of(tmp_path / "a.html").all("image")
    content = base64.b64decode(image["href"].partition(",")[2])
    with Image.open(io.BytesIO(content)) as picture:
        pixels = np.array(picture.convert("L")).astype(int)
    counts = np.array(evaluation.scores.confusion)
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert pixels.shape == (7, 7)
    order = shares.ravel().argsort()
    assert (np.diff(pixels.ravel()[order]) <= 0).all()
    assert pixels[shares == 0].min() == 255


def test_largest_confusions_are_off_the_diagonal_and_sorted() -> None:
    matrix = np.array([[50, 3, 0], [9, 5, 6], [0, 1, 7]])
    found = largest_confusions(SegmentationScores.from_confusion(matrix), most=3)
    assert [(c.truth, c.prediction, c.pixels) for c in found] == [
        (1, 0, 9),
        (1, 2, 6),
        (0, 1, 3),
    ]
    assert found[0].share == pytest.approx(9 / 20)


def test_curve_along_boundaries_follows_the_scores(tmp_path: pathlib.Path) -> None:
    evaluation, data = evaluation_of(tmp_path, 4)
    write_report(tmp_path / "a.html", evaluation, data)
    ((line, _),) = page_of(tmp_path / "a.html").all("polyline")
    points = np.array([p.split(",") for p in line["points"].split()], float)
    widths, scores = zip(*evaluation.trimap.items(), strict=True)
    values = np.array([each.mean_iou for each in scores])
    # A straight line leads from widths and scores to pixels.
    assert np.ptp(np.diff(points[:, 0]) / np.diff(widths)) < 0.1
    across = np.corrcoef(points[:, 1], values)[0, 1]
    assert across == pytest.approx(-1, abs=1e-3)


def test_reliability_diagram_has_a_bar_for_each_bin_of_pixels(
    tmp_path: pathlib.Path,
) -> None:
    evaluation, data = evaluation_of(tmp_path, 4)
    write_report(tmp_path / "a.html", evaluation, data)
    page = page_of(tmp_path / "a.html")
    found = evaluation.calibration
    assert found is not None
    gaps = [float(gap["height"]) for gap, _ in page.all("rect", class_="gap")]
    rows = zip(found.pixels, found.accuracy, found.confidence, strict=True)
    expected = [306 * abs(right - sure) for count, right, sure in rows if count]
    assert gaps == pytest.approx(expected, abs=0.01)
    assert len(page.all("rect", class_="share")) == 15


def test_errors_are_red_and_void_is_violet(tmp_path: pathlib.Path) -> None:
    # Left half right, right half wrong, and a band of void above.
    truth = np.zeros((60, 80), int)
    said = truth.copy()
    said[:, 40:] = 1
    truth[:20] = 255
    data = data_of(tmp_path, [(said, truth)], 2)
    write_report(
        tmp_path / "a.html", evaluate_data(LabelModel(2), data, measures=ALL), data
    )
    *_, (image, _) = page_of(tmp_path / "a.html").all("img")
    content = base64.b64decode(image["src"].partition(",")[2])
    with Image.open(io.BytesIO(content)) as picture:
        pixels = np.array(picture).astype(int)
    right, wrong, void = pixels[45, 15], pixels[45, 65], pixels[8, 15]
    assert np.ptp(right) < 30
    assert wrong[0] - wrong[1:].max() > 80
    assert void[2] - void[:2].max() > 15


def test_report_that_cannot_be_made_leaves_the_old_one(tmp_path: pathlib.Path) -> None:
    evaluation, data = evaluation_of(tmp_path, 3)
    path = tmp_path / "report.html"
    path.write_text("old")
    for pair in data.pairs:
        pathlib.Path(str(pair.image)).unlink()
    with pytest.raises(OSError, match="photo"):
        write_report(path, evaluation, data)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.glob("*report*")] == ["report.html"]


def test_report_with_a_crf_compares_it(tmp_path: pathlib.Path) -> None:
    evaluation, data = evaluation_of(tmp_path, 3)
    worse = dataclasses.replace(evaluation, plain=evaluation)
    write_report(tmp_path / "a.html", worse, data)
    page = page_of(tmp_path / "a.html")
    assert len(page.all("polyline")) == 2
    assert len(page.all("line", class_="mark")) == 3
    captions = [text for _, text in page.all("figcaption")][1:3]
    assert [text.partition(":")[0] for text in captions] == ["With the CRF", "Without"]
