package deeplab.core

import java.nio.ByteBuffer
import org.json.JSONArray
import org.json.JSONObject

/** What a file that `keras-deeplab export` wrote says of itself. */
data class ModelFacts(
    val inputHeight: Int,
    val inputWidth: Int,
    /** Whether it takes `(pixel - mean) / std` as floats, and not the pixels as bytes. */
    val floatInput: Boolean,
    /** Whether it answers with a label map, and not with values of each class. */
    val labels: Boolean,
    val classNames: List<String>,
    val mean: List<Float>,
    val std: Float,
    /** Whether a photo is stretched to the input, and not scaled down and padded. */
    val stretches: Boolean,
    val padPixel: List<Float>,
) {
    /** The class that is left uncoloured, if there is one. */
    val background: Int? = classNames.indexOf("background").takeIf { it >= 0 }

    companion object {
        private const val NAME = "keras_deeplab.json"

        /** Reads them from the whole content of a `.tflite` file. */
        fun read(file: ByteBuffer): ModelFacts {
            val text = AppendedFiles(file).text(NAME)
            return parse(requireNotNull(text) { "The file has no $NAME: export it again." })
        }

        fun parse(text: String): ModelFacts {
            val json = JSONObject(text)
            val size = json.getJSONArray("input_size")
            return ModelFacts(
                inputHeight = size.getInt(0),
                inputWidth = size.getInt(1),
                floatInput = json.getString("input_dtype") == "float32",
                labels = json.getString("form") == "labels",
                classNames = json.getJSONArray("class_names").all { getString(it) },
                mean = json.getJSONArray("mean").all { getDouble(it).toFloat() },
                std = json.getDouble("std").toFloat(),
                stretches = json.getString("resize_mode") == "stretch",
                padPixel = json.getJSONArray("pad_pixel").all { getDouble(it).toFloat() },
            )
        }

        private fun <T> JSONArray.all(read: JSONArray.(Int) -> T): List<T> =
            (0 until length()).map { read(it) }
    }
}
