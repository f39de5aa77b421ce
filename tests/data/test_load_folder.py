import json
import pathlib

import pytest

from keras_deeplab.data import ClassList, load_folder, read_class_list
from tests.data import trees


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    root = tmp_path / "train"
    for name in ("b", "a"):
        trees.put(root, f"images/{name}.jpg")
        trees.put(root, f"masks/{name}.png", [0, 1, 255])
    return root


@pytest.mark.parametrize("place", ["train/classes.txt", "classes.txt"])
def test_folder_with_names_beside_or_above_is_read(
    place: str, folder: pathlib.Path
) -> None:
    trees.put_text(folder.parent, place, "wall\ndoor frame\n")
    data = load_folder(folder)
    assert data.class_names == ("wall", "door frame")
    assert [pair.image.name for pair in data.pairs] == ["a.jpg", "b.jpg"]
    assert data.read(1).labels.tolist() == [[0, 1, 255], [0, 1, 255]]


def test_folder_with_a_label_map_is_read_through_it(folder: pathlib.Path) -> None:
    content = {
        "names": ["door", "wall"],
        "ignore_label": 99,
        "label_map": {"0": 1, "1": 0, "255": 99},
    }
    trees.put_text(folder, "classes.json", json.dumps(content))
    data = load_folder(folder)
    assert data.read(0).labels[0].tolist() == [1, 0, 99]
    assert data.ignore_label == 99


def test_folder_without_names_of_classes_says_what_to_write(
    folder: pathlib.Path,
) -> None:
    with pytest.raises(ValueError, match=r"classes\.txt, one name a l.*root=.*train"):
        load_folder(folder)


def test_folder_with_a_missing_folder_names_it(folder: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"not a folder\. Received: .*train/labels"):
        load_folder(folder, classes=["a", "b"], masks="labels")


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("c.txt", "wall\n\ntraffic light\n", ClassList(("wall", "traffic light"))),
        ("c.txt", "0 wall\n1 traffic light\n", ClassList(("wall", "traffic light"))),
        ("c.txt", "1,door,9,9,9\n0,wall,0,0,0\n", ClassList(("wall", "door"))),
        ("c.txt", "0 wall 0 0 0\n255 void 9 9 9\n", ClassList(("wall",))),
        (
            "c.txt",
            "0 wall 0 0 0\n1 Void 0 0 0\n",
            ClassList(("wall",), 255, {0: 0, 1: 255}),
        ),
        ("c.json", '["wall", "door"]', ClassList(("wall", "door"))),
        (
            "c.json",
            '{"names": ["wall"], "label_map": {"7": 0}, "ignore_label": null}',
            ClassList(("wall",), None, {7: 0}),
        ),
    ],
)
def test_class_list_in_each_form_is_read(
    file: str, text: str, expected: ClassList, tmp_path: pathlib.Path
) -> None:
    (tmp_path / file).write_text(text)
    assert read_class_list(tmp_path / file) == expected


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("c.txt", "", "There are no names"),
        ("c.txt", "0 wall\n2 door\n", r"but are \[0, 2\]"),
        ("c.txt", "0 wall\n0 door\n", r"but are \[0\]"),
        ("c.json", "{", "JSON"),
        ("c.json", "3", "JSON"),
        ("c.json", '{"names": ["a"], "labels": {}}', "Unknown: labels"),
        ("c.json", '{"names": "ab"}', "There are no names"),
    ],
)
def test_class_list_in_another_form_is_refused_by_name(
    file: str, text: str, message: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(ValueError, match=rf"{message}.*Received: .*{file}"):
        read_class_list(tmp_path / file)


@pytest.mark.parametrize(
    ("name", "classes", "label"),
    [("isbi_em", ["membrane", "cell"], 1), ("dubai_aerial", list("blrvw"), 4)],
)
def test_folders_of_real_files_are_read(
    name: str, classes: list[str], label: int, data_dir: pathlib.Path
) -> None:
    data = load_folder(data_dir / "usecases" / name, classes=classes)
    labels = {one for index in range(10) for one in data.read(index).labels.flat}
    assert len(data) == 10
    assert label in labels
    assert labels <= {*range(len(classes)), 255}


def test_files_of_classes_of_real_data_are_understood(data_dir: pathlib.Path) -> None:
    voc = load_folder(data_dir / "voc_sample")
    assert (voc.classes, voc.class_names[20], voc.label_map) == (21, "tvmonitor", None)
    camvid = load_folder(data_dir / "camvid" / "val")
    assert (camvid.classes, camvid.label_map[11]) == (11, 255)
