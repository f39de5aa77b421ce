"""The same model for inputs of one size."""

from keras_deeplab.inference import check_plan
from keras_deeplab.layers import arguments
from keras_deeplab.models import Segmenter


def fixed_size(model: Segmenter, size: int | tuple[int, int] | None) -> Segmenter:
    """Returns a model of the same weights whose input has one size.

    Args:
        model: The model.
        size: Height and width, or one integer for both. By default those of the
            model's input, or else of its training crop.

    Returns:
        The model itself if its input has that size, or else a new one.

    Warns:
        ImagePoolingWarning: If the model averages the scene over less than in training.

    Raises:
        ValueError: If `size` is not positive or is another than that of the model's
            input, or if it is needed and missing.
    """
    own = model.input_shape[1:3]
    wanted = arguments.size_of(size=size) or _default(model, own)
    if None not in own and wanted != own:
        raise ValueError(
            f"`size` must be that of the model's input, {own[0]} x {own[1]}: leave it "
            f"out, or build the model with input_shape=(None, None, 3). "
            f"Received: size={size}"
        )
    fixed = model if wanted == own else model.with_arguments(input_shape=(*wanted, 3))
    check_plan(fixed)
    return fixed


def _default(model: Segmenter, own: tuple[int | None, ...]) -> tuple[int, int]:
    height, width = own
    if height is not None and width is not None:
        return height, width
    if model.crop_size is None:
        raise ValueError(
            "`size` is needed: the model takes images of any size and has no training "
            "crop. Give height and width, best of the form output_stride * k + 1, such "
            "as (513, 513). Received: size=None"
        )
    return model.crop_size
