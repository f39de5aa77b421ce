"""Files that the package wrote and something changed: read right, or one clear error.

Weights of every format are changed in `tests/weights/test_fuzz.py`.
"""

import copy
import functools
import json
import pathlib
import re
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_deeplab.data import load_folder, load_shards, write_shards
from keras_deeplab.inference import load_crf, write_crf
from keras_deeplab.layers.crf_presets import CRF_PRESETS
from keras_deeplab.training.checkpoints import Checkpoints
from keras_deeplab.training.run_folder import RunFolder
from tests.reliability.clearly import outcome
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
    sample, refusal = outcome(lambda: load_shards(shards).read(0))
    index.write_text(whole)
    assert sample is not None or "shards" in refusal or "`" in refusal


@given(st.data())
def test_shard_with_any_bytes_changed_is_refused(
    shards: pathlib.Path, data: st.DataObject
) -> None:
    shard = shards / "00000-of-00001.tfrecord"
    whole = shard.read_bytes()
    spoiled = changed(whole, data)
    shard.write_bytes(spoiled)
    loaded, refusal = outcome(lambda: load_shards(shards))
    assert (loaded is None) == (spoiled != whole)
    assert loaded is not None or re.search(r"A shard is .*tfrecord", refusal)
    # Where nobody looks at the digest, the photo or the mask itself must tell.
    unseen, refusal = outcome(lambda: load_shards(shards, verify=False))
    for index in range(0 if unseen is None else len(unseen)):
        sample, refusal = outcome(lambda index=index: unseen.read(index))
        assert sample is not None or "tfrecord[" in refusal
    shard.write_bytes(whole)


@given(st.data())
def test_file_of_a_crf_edited_in_any_way_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "edited.json"
    write_crf(path, CRF_PRESETS["v1"], mean_iou=0.5, photos=["a.png"])
    path.write_text(edited(json.loads(path.read_text()), data), "utf-8")
    layer, refusal = outcome(lambda: load_crf(path))
    assert layer is not None or str(path) in refusal


@given(st.data())
def test_recipe_of_a_run_edited_in_any_way_is_the_same_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    recipe = tiny_run.recipe()
    path = tmp_path_factory.getbasetemp() / "recipe.json"
    path.write_text(edited(recipe.as_data(), data), "utf-8")
    check = functools.partial(RunFolder(path.parent).check, recipe, resume=True)
    _, refusal = outcome(check)
    same = not refusal and json.loads(path.read_text("utf-8")) == recipe.as_data()
    assert same or str(path) in refusal


@given(st.data())
def test_recipe_changed_in_any_field_is_made_or_refused_by_name(
    data: st.DataObject,
) -> None:
    recipe = tiny_run.recipe()
    field = data.draw(st.sampled_from(sorted(recipe.as_data())))
    value = data.draw(JSON)
    made, refusal = outcome(lambda: recipe.with_changes({field: value}))
    named = f"`{field}`" in refusal and "Received: " in refusal
    assert made is not None or named, (field, value, refusal)


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
