package deeplab.app

import android.content.res.AssetManager
import deeplab.core.ModelFacts
import java.nio.ByteBuffer

/** An exported file in the package of the app. */
class ModelAsset(val name: String, val facts: ModelFacts) {
    /** Whether the CRF is in its graph. */
    val crf: Boolean = name.endsWith("_crf.tflite")

    /** Whether the GPU delegate takes all of it: it has neither 8-bit pixels nor labels. */
    val forGpu: Boolean = facts.floatInput && !facts.labels

    companion object {
        /** All files of the assets. */
        fun list(assets: AssetManager): List<ModelAsset> =
            assets.list("").orEmpty().filter { it.endsWith(".tflite") }.sorted().map { name ->
                val content = assets.open(name).use { it.readBytes() }
                ModelAsset(name, ModelFacts.read(ByteBuffer.wrap(content)))
            }

        /** The file for the switches: on the CPU one that answers with labels, if any. */
        fun choose(all: List<ModelAsset>, gpu: Boolean, crf: Boolean): ModelAsset? {
            val fitting = all.filter { it.crf == crf && (it.forGpu || !gpu) }
            return fitting.firstOrNull { it.forGpu == gpu } ?: fitting.firstOrNull()
        }
    }
}
