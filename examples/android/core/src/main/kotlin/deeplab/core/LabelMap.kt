package deeplab.core

/** The class of each pixel, row by row. */
class LabelMap(val height: Int, val width: Int, val labels: IntArray) {
    /** Without the padding at the right and below. */
    fun cropped(frame: Frame): LabelMap {
        val inside = IntArray(frame.height * frame.width) {
            labels[it / frame.width * width + it % frame.width]
        }
        return LabelMap(frame.height, frame.width, inside)
    }

    /** The share of the pixels of each class that occurs, in `(0, 1]`, largest first. */
    fun shares(): List<Pair<Int, Double>> =
        labels.toTypedArray().groupingBy { it }.eachCount()
            .map { (label, count) -> label to count.toDouble() / labels.size }
            .sortedWith(compareBy({ -it.second }, { it.first }))

    companion object {
        /** Of values of each class, the last axis; the first of equals wins. */
        fun ofValues(height: Int, width: Int, values: FloatArray): LabelMap {
            val classes = values.size / (height * width)
            val labels = IntArray(height * width) { pixel ->
                var best = 0
                for (label in 1 until classes) {
                    if (values[pixel * classes + label] > values[pixel * classes + best]) best = label
                }
                best
            }
            return LabelMap(height, width, labels)
        }

        /** Of a label map of bytes. */
        fun ofBytes(height: Int, width: Int, bytes: ByteArray): LabelMap =
            LabelMap(height, width, IntArray(height * width) { bytes[it].toInt() and 0xff })
    }
}
