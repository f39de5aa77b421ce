package deeplab.app

import android.content.res.AssetManager
import deeplab.core.ModelFacts
import deeplab.core.ModelFile
import java.nio.ByteBuffer

/** The exported files in the package of the app. */
fun modelsIn(assets: AssetManager): List<ModelFile> =
    assets.list("").orEmpty().filter { it.endsWith(".tflite") }.map { name ->
        val content = assets.open(name).use { it.readBytes() }
        ModelFile(name, ModelFacts.read(ByteBuffer.wrap(content)))
    }
