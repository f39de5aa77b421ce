package deeplab.core

/** A photo, laid into what a file takes. */
class ModelInput(photo: RgbImage, private val facts: ModelFacts) {
    val frame: Frame = Frame.of(photo.height, photo.width, facts)
    /** The photo at the size at which the model sees it. */
    val content: RgbImage = when {
        photo.height == frame.height && photo.width == frame.width -> photo
        facts.stretches -> Resize.sampled(photo, frame.height, frame.width)
        else -> Resize.averaged(photo, frame.height, frame.width)
    }

    /** For a file of float input. */
    fun floats(): FloatArray {
        val input = FloatArray(size())
        fill { place, value, channel -> input[place] = (value - facts.mean[channel]) / facts.std }
        return input
    }

    /** For a file of 8-bit input. */
    fun bytes(): ByteArray {
        val input = ByteArray(size())
        fill { place, value, _ -> input[place] = Math.rint(value.toDouble()).toInt().toByte() }
        return input
    }

    private fun size() = facts.inputHeight * facts.inputWidth * RgbImage.CHANNELS

    private inline fun fill(write: (Int, Float, Int) -> Unit) {
        var place = 0
        for (y in 0 until facts.inputHeight) {
            for (x in 0 until facts.inputWidth) {
                val inside = y < frame.height && x < frame.width
                val start = (y * frame.width + x) * RgbImage.CHANNELS
                for (channel in 0 until RgbImage.CHANNELS) {
                    val value =
                        if (inside) (content.pixels[start + channel].toInt() and 0xff).toFloat()
                        else facts.padPixel[channel]
                    write(place++, value, channel)
                }
            }
        }
    }
}
