package deeplab.core

/** An exported file, by its name and what it says of itself. */
data class ModelFile(val name: String, val facts: ModelFacts) {
    /** Whether the CRF is in its graph. */
    val crf: Boolean = name.endsWith("_crf.tflite")

    /** Whether the GPU delegate takes all of it: 8-bit pixels, labels or a CRF it does not. */
    val forGpu: Boolean = facts.floatInput && !facts.labels && !crf

    companion object {
        /** The file for the switches. Where none is for the GPU, it is one for the CPU. */
        fun choose(all: List<ModelFile>, gpu: Boolean, crf: Boolean): ModelFile? {
            val fitting = all.filter { it.crf == crf }.sortedBy { it.name }
            return fitting.firstOrNull { it.forGpu == gpu } ?: fitting.firstOrNull()
        }
    }
}
