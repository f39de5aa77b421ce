"""Files that the package wrote and something changed: read right, or one clear error.

Weights of every format are changed in `tests/weights/test_fuzz.py`.
"""

import copy
import json
import pathlib
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_deeplab.data import load_folder, load_shards, write_shards
from keras_deeplab.data.sample_error import SampleError
from keras_deeplab.inference import load_crf, write_crf
from keras_deeplab.layers.crf_presets import CRF_PRESETS
from keras_deeplab.training.checkpoints import Checkpoints
from keras_deeplab.training.run_folder import RunFolder
from tests.reliability.test_photos import changed
from tests.reliability.trees import write_pairs
from tests.training import tiny_run

NUMBERS = st.one_of(
    st.integers(), st.sampled_from([-1, 0, 10**400]), st.floats(allow_nan=True)
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner)
    ),
    max_leaves=4,
)


def edited(whole: Any, data: st.DataObject) -> str:
    """JSON of which a part is another, is missing, or which is no JSON any more."""
    text = json.dumps(whole)
    way = data.draw(st.sampled_from(["part", "bytes", "deep"]))
    if way == "bytes":
        return changed(text.encode(), data).decode("latin-1")
    if way == "deep":
        return "[" * 100_000
    parent = inner = copy.deepcopy(whole)
    top = {"whole": inner}
    parent, key = top, "whole"
    while isinstance(parent[key], dict | list) and len(parent[key]):
        if data.draw(st.booleans()) and parent is not top:
            break
        inner = parent[key]
        keys = sorted(inner) if isinstance(inner, dict) else range(len(inner))
        parent, key = inner, data.draw(st.sampled_from(list(keys)))
    if isinstance(parent, dict) and parent is not top and data.draw(st.booleans()):
        del parent[key]
    else:
        parent[key] = data.draw(JSON)
    return json.dumps(top["whole"])


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    root = tmp_path_factory.mktemp("shards")
    write_shards(load_folder(write_pairs(root / "pairs")), root / "shards")
    return root / "shards"


@given(st.data())
def test_index_of_shards_edited_in_any_way_is_read_or_refused(
    shards: pathlib.Path, data: st.DataObject
) -> None:
    index = shards / "shards.json"
    whole = index.read_text()
    index.write_text(edited(json.loads(whole), data), "utf-8")
    try:
        load_shards(shards).read(0)
    except (ValueError, OSError) as error:
        assert "shards" in str(error) or "`" in str(error)
    finally:
        index.write_text(whole)


@given(st.data())
def test_shard_with_any_bytes_changed_is_refused(
    shards: pathlib.Path, data: st.DataObject
) -> None:
    shard = shards / "00000-of-00001.tfrecord"
    whole = shard.read_bytes()
    spoiled = changed(whole, data)
    shard.write_bytes(spoiled)
    try:
        if spoiled != whole:
            with pytest.raises(ValueError, match=r"A shard is .*tfrecord"):
                load_shards(shards)
        # Nobody looks at the digest, so the photo or the mask itself must tell.
        if len(spoiled) == len(whole):
            loaded = load_shards(shards, verify=False)
            for sample in range(len(loaded)):
                try:
                    assert loaded.read(sample).labels.max() < 256
                except SampleError as error:
                    assert "tfrecord[" in str(error)
    finally:
        shard.write_bytes(whole)


@given(st.data())
def test_file_of_a_crf_edited_in_any_way_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "edited.json"
    write_crf(path, CRF_PRESETS["v1"], mean_iou=0.5, photos=["a.png"])
    path.write_text(edited(json.loads(path.read_text()), data), "utf-8")
    try:
        layer = load_crf(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert layer.crf_parameters.checked() == layer.crf_parameters


@given(st.data())
def test_recipe_of_a_run_edited_in_any_way_is_the_same_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    recipe = tiny_run.recipe()
    path = tmp_path_factory.getbasetemp() / "recipe.json"
    path.write_text(edited(recipe.as_data(), data), "utf-8")
    try:
        RunFolder(path.parent).check(recipe, resume=True)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert json.loads(path.read_text("utf-8")) == recipe.as_data()


@given(st.data())
def test_recipe_changed_in_any_field_is_made_or_refused_by_name(
    data: st.DataObject,
) -> None:
    recipe = tiny_run.recipe()
    field = data.draw(st.sampled_from(sorted(recipe.as_data())))
    try:
        recipe.with_changes({field: data.draw(JSON)})
    except ValueError as error:
        assert f"`{field}`" in str(error)
        assert "Received: " in str(error)


@given(st.data())
def test_checkpoint_with_any_bytes_changed_is_whole_or_passed_over(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    checkpoints = Checkpoints(tmp_path_factory.mktemp("run") / "checkpoints")
    arrays = [np.arange(6, dtype="float32"), np.array(7)]
    for epoch in (1, 2):
        path = checkpoints.save(epoch, arrays, {"epoch": epoch})
    path.write_bytes(changed(path.read_bytes(), data))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        newest = checkpoints.newest()
    assert newest is not None
    assert newest.facts == {"epoch": newest.epoch}
    assert newest.epoch == 2 or "epoch-00002.npz is damaged" in str(told[-1].message)
    for found, wanted in zip(newest.arrays, arrays, strict=True):
        np.testing.assert_array_equal(found, wanted)
