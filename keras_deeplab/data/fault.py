"""What can be wrong with photos and masks, how bad it is, and how to mend it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

BROKEN, SUSPICIOUS = "broken", "suspicious"


@dataclass(frozen=True)
class Fault:
    """Something that can be wrong.

    Args:
        severity: `"broken"` if training is refused, or `"suspicious"`.
        title: What it is, in a few words.
        mend: What to do, one sentence.
    """

    severity: str
    title: str
    mend: str


_PAIR = "Add what is missing under the same name up to the ending, or remove the file."
_WHOLE = "Put a whole copy of the file in its place, or remove the pair."

#: What `audit` can find, by code.
FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "image_without_mask": Fault(BROKEN, "Images without a mask", _PAIR),
        "mask_without_image": Fault(BROKEN, "Masks without an image", _PAIR),
        "missing_file": Fault(BROKEN, "Files that are listed but missing", _WHOLE),
        "same_name": Fault(
            BROKEN,
            "Files of one name up to the ending",
            "Rename or remove all but one: images and masks are matched by that name.",
        ),
        "unreadable_image": Fault(BROKEN, "Images that cannot be read", _WHOLE),
        "unreadable_mask": Fault(BROKEN, "Masks that cannot be read", _WHOLE),
        "mask_not_png": Fault(
            BROKEN,
            "Masks that are not PNG",
            "Make the masks anew as PNG, which keeps labels exactly: JPEG and other "
            "formats may have changed them.",
        ),
        "mask_of_colors": Fault(
            BROKEN,
            "Masks of colours",
            "Turn each colour into its label and store one label a pixel, as 8-bit "
            "grey or palette PNG.",
        ),
        "sizes_differ": Fault(
            BROKEN,
            "Masks of another size than the image",
            "Give both the same size: resize the mask to the nearest pixel, never "
            "smoothly, or make it anew.",
        ),
        "label_out_of_range": Fault(
            BROKEN,
            "Values that are no labels",
            "Correct the mask, name the missing classes, or let `label_map` in "
            "classes.json give the label of each value.",
        ),
        "off_by_one": Fault(
            BROKEN,
            "Labels that begin at 1",
            "Subtract 1 from every label but the ignored one, or let `label_map` in "
            "classes.json do so.",
        ),
        "one_class_too_many": Fault(
            BROKEN,
            "One label more than there are names",
            "Name every class, the background too if the masks have one.",
        ),
        "binary_masks": Fault(
            BROKEN,
            "Masks of 0 and 255 alone",
            "Store the second class as 1, because 255 is ignored, or set "
            '`"label_map": {"0": 0, "255": 1}` in classes.json.',
        ),
        "all_ignored": Fault(
            BROKEN,
            "Nothing but ignored pixels",
            "Give the masks labels of classes, or name another `ignore_label`.",
        ),
        "absent_class": Fault(
            SUSPICIOUS,
            "Classes that never occur",
            "Check the order of the names and the labels: a class without pixels is "
            "not learnt.",
        ),
        "one_class": Fault(
            SUSPICIOUS,
            "One class everywhere",
            "Check the labels: a model that always answers this class has no error.",
        ),
        "much_ignored": Fault(
            SUSPICIOUS,
            "Most pixels are ignored",
            "Check that the ignored label is none of the classes.",
        ),
        "file_mostly_ignored": Fault(
            SUSPICIOUS,
            "Masks that are ignored almost entirely",
            "Check the mask, or leave the pair out: it teaches next to nothing.",
        ),
        "small_image": Fault(
            SUSPICIOUS,
            "Very small images",
            "Check that it is no thumbnail: a few features are all that a network "
            "makes of it.",
        ),
        "incomplete_split": Fault(
            SUSPICIOUS,
            "Not the published split",
            "Unpack the dataset anew before scores are compared with published ones.",
        ),
    }
)
