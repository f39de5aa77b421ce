"""The reference library of the fully connected CRF, to compare with."""

from typing import Any

import numpy as np

from keras_deeplab._extras import how_to_install
from keras_deeplab.layers import DenseCRF
from keras_deeplab.layers.crf_presets import SMALLEST_PROBABILITY

Array = np.ndarray[Any, Any]


def crf_reference(
    scores: Array,
    image: Array,
    preset: str = "v1",
    *,
    from_logits: bool = True,
    compatibility: Any = "potts",
    **parameters: Any,
) -> Array:
    """Refines a segmentation with `pydensecrf2`, under the arguments of `DenseCRF`.

    The library approximates exact mean field with a permutohedral lattice. It is
    compiled, and needed for comparisons only.

    Args:
        scores: Logits or probabilities, `(height, width, classes)`.
        image: RGB of 0 to 255, `(height, width, 3)`.
        preset: `"v1"`, `"v2"` or `"pydensecrf"`.
        from_logits: Whether `scores` are logits, or else probabilities.
        compatibility: `"potts"`, a weight for each label, or a matrix of costs, of
            which the library takes the mean with its transpose.
        **parameters: `w_bilateral`, `theta_alpha`, `theta_beta`, `w_gaussian`,
            `theta_gamma` and `iterations`, in place of the preset's.

    Returns:
        float32 probabilities, `(height, width, classes)`.

    Raises:
        ImportError: If `pydensecrf2` is not installed.
        ValueError: If an argument is out of range, or the sizes differ.

    Examples:
        >>> logits, image = np.zeros((9, 7, 2)), np.zeros((9, 7, 3))
        >>> crf_reference(logits, image, "v2").shape  # doctest: +SKIP
        (9, 7, 2)
    """
    densecrf = _library()
    layer = DenseCRF(preset, compatibility=compatibility, **parameters)
    found = layer.crf_parameters
    if scores.ndim != 3 or image.shape != (*scores.shape[:2], 3):
        raise ValueError(
            "`image` must have the shape (height, width, 3) and the size of `scores`. "
            f"Received: scores.shape={scores.shape}, image.shape={image.shape}"
        )
    height, width, classes = scores.shape
    crf = densecrf.DenseCRF2D(width, height, classes)
    crf.setUnaryEnergy(_energies(scores, from_logits))
    pixels = np.ascontiguousarray(np.clip(np.round(image), 0, 255).astype("uint8"))
    crf.addPairwiseGaussian(
        sxy=found.theta_gamma, compat=_compat(found.w_gaussian, layer.compatibility)
    )
    crf.addPairwiseBilateral(
        sxy=found.theta_alpha,
        srgb=found.theta_beta,
        rgbim=pixels,
        compat=_compat(found.w_bilateral, layer.compatibility),
    )
    refined = np.array(crf.inference(found.iterations))
    return np.ascontiguousarray(refined.T).reshape(scores.shape)


def _library() -> Any:
    try:
        import pydensecrf.densecrf
    except ImportError as error:
        raise ImportError(
            f"`crf_reference` needs pydensecrf2: {how_to_install('crf')}"
        ) from error
    return pydensecrf.densecrf


def _energies(scores: Array, from_logits: bool) -> Array:
    flat = scores.reshape(-1, scores.shape[-1]).astype("float64")
    if from_logits:
        flat = np.exp(flat - flat.max(axis=1, keepdims=True))
    share = flat / np.maximum(flat.sum(axis=1, keepdims=True), 1e-30)
    energies = -np.log(np.maximum(share, SMALLEST_PROBABILITY))
    return np.ascontiguousarray(energies.T.astype("float32"))


def _compat(weight: float, compatibility: Any) -> Any:
    # The library takes costs, and a number for Potts.
    if compatibility == "potts":
        return weight
    array = np.array(compatibility, "float32")
    return np.ascontiguousarray(weight * (-array if array.ndim == 1 else array))
