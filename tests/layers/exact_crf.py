"""Mean field of the fully connected CRF over every pair of pixels, in float64."""

import numpy as np

from keras_deeplab.layers import CRFParameters


def refine(
    probabilities: np.ndarray,
    image: np.ndarray,
    parameters: CRFParameters,
    costs: np.ndarray | None = None,
) -> np.ndarray:
    """Takes and gives `(height, width, classes)`; Potts without costs."""
    height, width, classes = probabilities.shape
    costs = 1 - np.eye(classes) if costs is None else costs
    places = np.indices((height, width)).reshape(2, -1).T.astype("float64")
    colors = image.reshape(-1, 3).astype("float64")
    alike = np.hstack([places / parameters.theta_alpha, colors / parameters.theta_beta])
    bilateral = normalized(alike)
    gaussian = normalized(places / parameters.theta_gamma)
    unary = np.log(np.clip(probabilities.astype("float64"), 1e-5, 1))
    unary = unary.reshape(-1, classes)
    found = softmax(unary)
    for _ in range(parameters.iterations):
        message = parameters.w_bilateral * bilateral @ found
        message += parameters.w_gaussian * gaussian @ found
        found = softmax(unary - message @ costs.T)
    return found.reshape(probabilities.shape)


def normalized(features: np.ndarray) -> np.ndarray:
    squares = (features**2).sum(axis=1)
    distance = squares[:, None] + squares[None] - 2 * features @ features.T
    kernel = np.exp(-0.5 * np.maximum(distance, 0))
    scale = kernel.sum(axis=1) ** -0.5
    return scale[:, None] * kernel * scale[None]


def softmax(scores: np.ndarray) -> np.ndarray:
    exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)
