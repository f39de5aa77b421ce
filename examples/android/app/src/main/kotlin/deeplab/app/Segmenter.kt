package deeplab.app

import android.content.res.AssetManager
import android.os.SystemClock
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import deeplab.core.LabelMap
import deeplab.core.ModelFile
import deeplab.core.ModelInput
import deeplab.core.RgbImage

/** One file, run by LiteRT. To be used, and closed, on one thread. */
class Segmenter(assets: AssetManager, val file: ModelFile, val gpu: Boolean) : AutoCloseable {
    private val facts = file.facts
    private val model = CompiledModel.create(
        assets,
        file.name,
        CompiledModel.Options(if (gpu) Accelerator.GPU else Accelerator.CPU),
    )
    private val inputs = model.createInputBuffers()
    private val outputs = model.createOutputBuffers()

    /** What was found in a photo, at the size at which the model saw it. */
    class Found(val photo: RgbImage, val map: LabelMap, val modelMillis: Double)

    fun segment(photo: RgbImage): Found {
        val input = ModelInput(photo, facts)
        // Bytes are bytes: LiteRT has no call for those without a sign.
        if (facts.floatInput) inputs[0].writeFloat(input.floats())
        else inputs[0].writeInt8(input.bytes())
        val start = SystemClock.elapsedRealtimeNanos()
        model.run(inputs, outputs)
        // The GPU has answered when the answer can be read.
        val map = answer()
        val millis = (SystemClock.elapsedRealtimeNanos() - start) / 1e6
        return Found(input.content, map.cropped(input.frame), millis)
    }

    override fun close() {
        (inputs + outputs).forEach { it.close() }
        model.close()
    }

    private fun answer(): LabelMap {
        val (height, width) = facts.inputHeight to facts.inputWidth
        return when {
            !facts.labels -> LabelMap.ofValues(height, width, outputs[0].readFloat())
            // More classes than a byte tells come as integers.
            facts.classNames.size > 256 -> LabelMap(height, width, outputs[0].readInt())
            else -> LabelMap.ofBytes(height, width, outputs[0].readInt8())
        }
    }
}
