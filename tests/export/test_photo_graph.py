import tensorflow as tf

from keras_deeplab.export import photo_graph
from keras_deeplab.inference import framing


def test_side_of_the_input_inside_a_graph_is_that_outside() -> None:
    sizes = range(1, 1200)
    for stride in (8, 16, 32):
        # Without a crop, one that lines up, two that do not.
        for crop in (1, 513, 512, 360):
            outside = [framing._canvas_side(size, crop, stride) for size in sizes]
            inside = photo_graph._canvas_side(tf.range(1, 1200), crop, stride)
            assert inside.numpy().tolist() == outside
