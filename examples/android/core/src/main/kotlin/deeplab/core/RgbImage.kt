package deeplab.core

/** An 8-bit RGB picture: three bytes a pixel, row by row. */
class RgbImage(val height: Int, val width: Int, val pixels: ByteArray) {
    init {
        require(height > 0 && width > 0 && pixels.size == height * width * CHANNELS) {
            "A picture of $height x $width pixels has ${height * width * CHANNELS} bytes, " +
                "but got ${pixels.size}."
        }
    }

    companion object {
        const val CHANNELS = 3

        /** Of Android's packed pixels, 0xAARRGGBB; the transparency is dropped. */
        fun ofPacked(height: Int, width: Int, packed: IntArray): RgbImage {
            val pixels = ByteArray(packed.size * CHANNELS)
            for ((index, pixel) in packed.withIndex()) {
                pixels[CHANNELS * index] = (pixel shr 16).toByte()
                pixels[CHANNELS * index + 1] = (pixel shr 8).toByte()
                pixels[CHANNELS * index + 2] = pixel.toByte()
            }
            return RgbImage(height, width, pixels)
        }
    }
}
