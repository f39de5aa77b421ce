import numpy as np
import pytest
from PIL import Image

from keras_deeplab.inference import class_shares, count_labels, draw_overlay
from keras_deeplab.inference.legend import add_legend

NAMES = ("background", "aeroplane", "bicycle")


def halves(rows: int, columns: int) -> np.ndarray:
    labels = np.zeros((rows, columns), "uint8")
    labels[:, columns // 2 :] = 2
    return labels


def test_overlay_leaves_background_as_it_is_and_blends_the_rest() -> None:
    photo = np.full((300, 400, 3), 100, "uint8")
    drawn = np.asarray(draw_overlay(photo, halves(300, 400), NAMES, opacity=0.5))
    assert drawn[150, 50].tolist() == [100, 100, 100]
    # Bicycle is (0, 128, 0).
    assert drawn[150, 350].tolist() == [50, 114, 50]
    assert drawn[150, 199].tolist() == [255, 255, 255]


def test_overlay_without_a_background_class_colours_label_0_too() -> None:
    photo = np.full((300, 400, 3), 100, "uint8")
    drawn = np.asarray(draw_overlay(photo, halves(300, 400), ("road",), opacity=0.5))
    assert drawn[150, 50].tolist() == [50, 50, 50]


@pytest.mark.parametrize(
    "size", [(1, 1), (64, 43), (3, 4000), (4000, 3), (700, 500), (1200, 1600)]
)
def test_overlay_of_any_size_has_room_for_the_legend(size: tuple[int, int]) -> None:
    drawn = draw_overlay(np.zeros((*size, 3), "uint8"), halves(*size), NAMES)
    scale = -(-256 // max(size))
    assert drawn.mode == "RGB"
    assert drawn.width >= max(size[1] * scale, 100)
    assert drawn.height > size[0] * scale + 14
    # The legend is dark ink on white.
    legend = np.asarray(drawn)[size[0] * scale :]
    assert legend.max() == 255
    assert legend.min() < 64


def test_legend_of_many_classes_shows_every_one() -> None:
    shares = class_shares(np.ones(256, int))
    picture = Image.new("RGB", (640, 480))
    few, many = add_legend(picture, shares[:3]), add_legend(picture, shares)
    assert many.width == few.width == 640
    # Nothing is cut off: the last swatch of the last row is there.
    colors = {tuple(color) for color in np.asarray(many)[480:].reshape(-1, 3)}
    assert {share.color for share in shares} <= colors


def test_overlay_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"photo \(2, 3\), labels \(3, 2\)"):
        draw_overlay(np.zeros((2, 3, 3), "uint8"), np.zeros((3, 2), "uint8"))


def test_overlay_of_impossible_opacity_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: opacity=2"):
        draw_overlay(np.zeros((2, 2, 3), "uint8"), halves(2, 2), opacity=2)


def test_shares_of_a_label_map_are_counted_and_named() -> None:
    labels = np.array([[2, 2, 2, 0], [2, 255, 0, 7]], "uint8")
    shares = class_shares(count_labels(labels), NAMES)
    assert [(s.label, s.name, s.pixels, s.share) for s in shares] == [
        (2, "bicycle", 4, 0.5),
        (0, "background", 2, 0.25),
        (7, "class 7", 1, 0.125),
        (255, "void", 1, 0.125),
    ]
    assert shares[0].color == (0, 128, 0)


def test_share_in_percent_never_claims_nothing() -> None:
    counts = np.zeros(256, int)
    counts[:3] = (99_930, 20, 50)
    percents = [share.percent for share in class_shares(counts)]
    assert percents == ["99.9 %", "0.1 %", "< 0.1 %"]
