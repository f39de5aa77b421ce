package deeplab.core

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.floor
import kotlin.math.sin

/** Brings a photo to its frame, to the bit as Pillow does for `keras_deeplab.segment`. */
object Resize {
    private const val LOBES = 3.0
    private const val PRECISION = 22

    /** Lanczos, averaging over all pixels that one of the result covers. */
    fun averaged(image: RgbImage, height: Int, width: Int): RgbImage {
        val narrow = if (width == image.width) image else horizontally(image, width)
        return if (height == image.height) narrow else vertically(narrow, height)
    }

    /** Bilinear, at the centres of the result's pixels, without averaging. */
    fun sampled(image: RgbImage, height: Int, width: Int): RgbImage {
        val out = ByteArray(height * width * RgbImage.CHANNELS)
        var place = 0
        for (y in 0 until height) {
            val down = Sample.at(y, height, image.height)
            for (x in 0 until width) {
                val across = Sample.at(x, width, image.width)
                for (channel in 0 until RgbImage.CHANNELS) {
                    out[place++] = bilinear(image, down, across, channel).toInt().toByte()
                }
            }
        }
        return RgbImage(height, width, out)
    }

    private fun bilinear(image: RgbImage, down: Sample, across: Sample, channel: Int): Double {
        fun row(y: Int): Double {
            val first = image.value(y, across.first, channel)
            return first + (image.value(y, across.second, channel) - first) * across.share
        }
        val first = row(down.first)
        return first + (row(down.second) - first) * down.share
    }

    private class Sample(val first: Int, val second: Int, val share: Double) {
        companion object {
            fun at(index: Int, size: Int, sourceSize: Int): Sample {
                val place = (index + 0.5) * sourceSize / size - 0.5
                val first = floor(place).toInt()
                val last = sourceSize - 1
                return Sample(first.coerceIn(0, last), (first + 1).coerceIn(0, last), place - first)
            }
        }
    }

    private fun horizontally(image: RgbImage, width: Int): RgbImage {
        val kernels = kernels(image.width, width)
        val out = ByteArray(image.height * width * RgbImage.CHANNELS)
        var place = 0
        for (y in 0 until image.height) {
            for (kernel in kernels) {
                val start = (y * image.width + kernel.start) * RgbImage.CHANNELS
                for (channel in 0 until RgbImage.CHANNELS) {
                    out[place++] = kernel.apply(image.pixels, start + channel, RgbImage.CHANNELS)
                }
            }
        }
        return RgbImage(image.height, width, out)
    }

    private fun vertically(image: RgbImage, height: Int): RgbImage {
        val row = image.width * RgbImage.CHANNELS
        val out = ByteArray(height * row)
        var place = 0
        for (kernel in kernels(image.height, height)) {
            for (column in 0 until row) {
                out[place++] = kernel.apply(image.pixels, kernel.start * row + column, row)
            }
        }
        return RgbImage(height, image.width, out)
    }

    private class Kernel(val start: Int, val weights: IntArray) {
        fun apply(pixels: ByteArray, start: Int, step: Int): Byte {
            var sum = 1 shl (PRECISION - 1)
            var place = start
            for (weight in weights) {
                sum += (pixels[place].toInt() and 0xff) * weight
                place += step
            }
            return (sum shr PRECISION).coerceIn(0, 255).toByte()
        }
    }

    private fun kernels(sourceSize: Int, size: Int): List<Kernel> {
        val scale = sourceSize.toDouble() / size
        val stretch = maxOf(scale, 1.0)
        val reach = LOBES * stretch
        return (0 until size).map { index ->
            val center = (index + 0.5) * scale
            val start = maxOf((center - reach + 0.5).toInt(), 0)
            val end = minOf((center + reach + 0.5).toInt(), sourceSize)
            val weights = DoubleArray(end - start) { lanczos((it + start - center + 0.5) / stretch) }
            val sum = weights.sum()
            Kernel(start, IntArray(end - start) { fixedPoint(weights[it] / sum) })
        }
    }

    private fun fixedPoint(weight: Double): Int {
        val scaled = weight * (1 shl PRECISION)
        return (if (scaled < 0) scaled - 0.5 else scaled + 0.5).toInt()
    }

    private fun lanczos(x: Double) =
        if (abs(x) < LOBES) sinc(x) * sinc(x / LOBES) else 0.0

    private fun sinc(x: Double) = if (x == 0.0) 1.0 else sin(PI * x) / (PI * x)

    private fun RgbImage.value(y: Int, x: Int, channel: Int): Double =
        (pixels[(y * width + x) * RgbImage.CHANNELS + channel].toInt() and 0xff).toDouble()
}
