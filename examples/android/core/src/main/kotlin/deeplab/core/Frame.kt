package deeplab.core

/** Height and width to which a photo is brought; it lies in the input's top left corner. */
data class Frame(val height: Int, val width: Int) {
    companion object {
        /** As `keras_deeplab.segment` does: the photo's own proportions, never enlarged. */
        fun of(photoHeight: Int, photoWidth: Int, facts: ModelFacts): Frame {
            if (facts.stretches) return Frame(facts.inputHeight, facts.inputWidth)
            val factor = minOf(
                1.0,
                facts.inputHeight.toDouble() / photoHeight,
                facts.inputWidth.toDouble() / photoWidth,
            )
            return Frame(scaled(photoHeight, factor), scaled(photoWidth, factor))
        }

        private fun scaled(side: Int, factor: Double) = maxOf(1, Math.rint(side * factor).toInt())
    }
}
