"""Atrous spatial pyramid pooling: several rates on one feature map."""

from typing import Any

import keras
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Shape, Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.layers.atrous_conv import AtrousConv
from keras_deeplab.layers.conv_block import ConvBlock, separable_initializers
from keras_deeplab.layers.image_pooling import ImagePooling

MERGES = ("concat", "sum")


@register
class ASPP(keras.layers.Layer):
    """Looks at one feature map through several atrous rates at once.

    `merge="concat"` is the pyramid of V3 and V3+: image pooling, a `1 x 1` convolution
    and one `3 x 3` convolution a rate, each with batch norm and ReLU, concatenated in
    that order and projected to `filters` channels. Without rates only the first two
    remain, which is the head of the official MobileNetV2 models.

    `merge="sum"` is the pyramid of V2: one classifier a rate, with bias and without
    batch norm, summed; `filters` is then the number of classes. With `hidden_filters`
    each is three convolutions deep (fc6, fc7, fc8 of VGG-16), as in ASPP-S and ASPP-L.

    At rate `r` a `3 x 3` kernel spans `2 * r + 1` positions. On a map smaller than
    that the outer taps read only padding, so choose the rates together with the
    output stride: `(6, 12, 18)` at 16, doubled at 8, halved at 32.

    Args:
        filters: Channels of each branch and of the output.
        rates: Atrous rates, one `3 x 3` branch each.
        merge: `"concat"` or `"sum"`.
        separable: Whether the `3 x 3` branches are depthwise-separable.
        image_pooling: Whether to add the image-level branch when concatenating.
        image_pooling_window: Window of the image-level branch; see `ImagePooling`.
        hidden_filters: Channels of the two hidden convolutions of each branch when
            summing; `None` for a single convolution.
        dropout: Fraction dropped after the projection, or after each hidden
            convolution when summing, in `[0, 1)`.
        epsilon: Added to the variance by the batch norms.
        momentum: Share of the old moving statistics kept at each training step.
        **kwargs: Passed to `keras.layers.Layer`, for example `name`, `dtype`.

    Call arguments:
        inputs: Feature map, see the input shape.
        training: Whether dropout and batch statistics are active.

    Input shape:
        `(batch, height, width, channels)`. Height and width may be `None`.

    Output shape:
        `(batch, height, width, filters)`.

    Raises:
        ValueError: If `filters` or a rate is not positive, `merge` is unknown,
            `dropout` is out of range, or `merge="sum"` has no rates.

    Examples:
        >>> aspp = keras_deeplab.layers.ASPP(filters=32, rates=(6, 12, 18))
        >>> tuple(aspp(keras.ops.zeros((1, 33, 33, 64))).shape)
        (1, 33, 33, 32)

    References:
        - [Chen et al., 2016](https://arxiv.org/abs/1606.00915), section 3.2 (V2)
        - [Chen et al., 2017](https://arxiv.org/abs/1706.05587), section 3.3 (V3)
    """

    def __init__(
        self,
        filters: int = 256,
        rates: tuple[int, ...] = (6, 12, 18),
        *,
        merge: str = "concat",
        separable: bool = False,
        image_pooling: bool = True,
        image_pooling_window: int | tuple[int, int] | None = None,
        hidden_filters: int | None = None,
        dropout: float = 0.1,
        epsilon: float = 1e-5,
        momentum: float = 0.9997,
        **kwargs: Any,
    ) -> None:
        filters = arguments.positive(filters=filters)
        checked_rates = arguments.rates_of(rates=rates)
        arguments.check_choice(MERGES, merge=merge)
        dropout = arguments.fraction(dropout=dropout)
        if hidden_filters is not None:
            hidden_filters = arguments.positive(hidden_filters=hidden_filters)
        if merge == "sum" and not checked_rates:
            raise ValueError(f"`rates` must not be empty to sum. Received: {rates=}")
        window = arguments.size_of(image_pooling_window=image_pooling_window)
        super().__init__(**kwargs)
        self.filters = filters
        self.rates = checked_rates
        self.merge = merge
        self.separable = separable
        self.image_pooling = image_pooling
        self.image_pooling_window = window
        self.hidden_filters = hidden_filters
        self.dropout = dropout
        self.epsilon = epsilon
        self.momentum = momentum
        if merge == "sum":
            branches = [
                self._classifier(index, rate)
                for index, rate in enumerate(self.rates, start=1)
            ]
            tail: list[keras.layers.Layer] = []
        else:
            branches = [[branch] for branch in self._pyramid()]
            tail = [self._block("projection", 1), self._dropout("dropout")]
        # One flat list: before Keras 3.15 a file would leave out lists of lists.
        self._steps = [step for branch in branches for step in branch]
        self._steps_a_branch = len(branches[0])
        self._tail = tail

    @property
    def branches(self) -> list[list[keras.layers.Layer]]:
        """The steps of each branch, in order."""
        return self._branches

    # Keras names the weights in a file by the first attribute in which it meets them,
    # in the order of the alphabet: by this one.
    @property
    def _branches(self) -> list[list[keras.layers.Layer]]:
        starts = range(0, len(self._steps), self._steps_a_branch)
        return [self._steps[i : i + self._steps_a_branch] for i in starts]

    @property
    def projection(self) -> ConvBlock:
        """What the concatenated branches go through."""
        (block, _) = self._tail
        return block

    def _pyramid(self) -> list[keras.layers.Layer]:
        branches: list[keras.layers.Layer] = []
        if self.image_pooling:
            branches.append(
                ImagePooling(
                    self.filters,
                    window=self.image_pooling_window,
                    epsilon=self.epsilon,
                    momentum=self.momentum,
                    dtype=self.dtype_policy,
                    name="image_pooling",
                )
            )
        branches.append(self._block("rate_0", 1))
        for index, rate in enumerate(self.rates, start=1):
            branches.append(
                self._block(f"rate_{index}", 3, rate=rate, separable=self.separable)
            )
        return branches

    def _block(self, name: str, kernel_size: int, **kwargs: Any) -> ConvBlock:
        return ConvBlock(
            self.filters,
            kernel_size,
            epsilon=self.epsilon,
            momentum=self.momentum,
            depthwise_activation="relu",
            dtype=self.dtype_policy,
            name=name,
            **(separable_initializers() if kwargs.get("separable") else {}),
            **kwargs,
        )

    def _classifier(self, index: int, rate: int) -> list[keras.layers.Layer]:
        """The steps of one summed branch, the atrous convolution first."""
        steps: list[keras.layers.Layer] = []
        if self.hidden_filters is not None:
            for size, step_rate, name in ((3, rate, "fc6"), (1, 1, "fc7")):
                steps.append(
                    ConvBlock(
                        self.hidden_filters,
                        size,
                        rate=step_rate,
                        separable=self.separable and size == 3,
                        batch_norm=False,
                        kernel_initializer="he_normal",
                        dtype=self.dtype_policy,
                        name=f"{name}_{index}",
                    )
                )
                steps.append(self._dropout(f"{name}_{index}_dropout"))
        steps.append(
            AtrousConv(
                self.filters,
                3 if not steps else 1,
                rate=rate if not steps else 1,
                separable=self.separable and not steps,
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
                dtype=self.dtype_policy,
                name=f"fc8_{index}",
            )
        )
        return steps

    def _dropout(self, name: str) -> keras.layers.Dropout:
        return keras.layers.Dropout(self.dropout, dtype=self.dtype_policy, name=name)

    def build(self, input_shape: Shape) -> None:
        shapes = [_build_chain(branch, input_shape) for branch in self.branches]
        channels = sum(shape[-1] or 0 for shape in shapes)
        _build_chain(self._tail, (*input_shape[:-1], channels))

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        outputs = [_run_chain(branch, inputs, training) for branch in self.branches]
        if self.merge == "concat":
            merged = ops.concatenate(outputs, axis=-1)
            return _run_chain(self._tail, merged, training)
        total = outputs[0]
        # One by one: an addition of many operands leaves the mobile GPU.
        for output in outputs[1:]:
            total = total + output
        return total

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "rates": self.rates,
            "merge": self.merge,
            "separable": self.separable,
            "image_pooling": self.image_pooling,
            "image_pooling_window": self.image_pooling_window,
            "hidden_filters": self.hidden_filters,
            "dropout": self.dropout,
            "epsilon": self.epsilon,
            "momentum": self.momentum,
        }


def _build_chain(steps: list[keras.layers.Layer], shape: Shape) -> Shape:
    for step in steps:
        step.build(shape)
        shape = step.compute_output_shape(shape)
    return shape


def _run_chain(
    steps: list[keras.layers.Layer], inputs: Tensor, training: bool | None
) -> Tensor:
    for step in steps:
        if isinstance(step, AtrousConv):
            inputs = step(inputs)
        else:
            inputs = step(inputs, training=training)
    return inputs
