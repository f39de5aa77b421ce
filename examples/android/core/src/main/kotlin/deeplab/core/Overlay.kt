package deeplab.core

/** The classes in colour, over the photo. */
object Overlay {
    const val OPACITY = 0.55f

    /** The PASCAL VOC colour of a label, 0xRRGGBB. */
    fun color(label: Int): Int {
        val channels = IntArray(RgbImage.CHANNELS)
        for (place in 0 until 8) {
            for (channel in channels.indices) {
                val bit = label shr (3 * place + channel) and 1
                channels[channel] = channels[channel] or (bit shl (7 - place))
            }
        }
        return channels[0] shl 16 or (channels[1] shl 8) or channels[2]
    }

    /** Opaque packed pixels, 0xFFRRGGBB; a background is left as it is. */
    fun blend(
        photo: RgbImage,
        map: LabelMap,
        background: Int? = null,
        opacity: Float = OPACITY,
    ): IntArray {
        require(photo.height == map.height && photo.width == map.width) {
            "The photo has ${photo.height} x ${photo.width} pixels, " +
                "the label map ${map.height} x ${map.width}."
        }
        val colors = IntArray(256) { color(it) }
        return IntArray(map.labels.size) { pixel ->
            val label = map.labels[pixel]
            val share = if (label == background) 0f else opacity
            var packed = 0xff
            for (channel in 0 until RgbImage.CHANNELS) {
                val below = photo.pixels[RgbImage.CHANNELS * pixel + channel].toInt() and 0xff
                val above = colors[label] shr (16 - 8 * channel) and 0xff
                packed = packed shl 8 or (below + share * (above - below)).toInt()
            }
            packed
        }
    }
}
