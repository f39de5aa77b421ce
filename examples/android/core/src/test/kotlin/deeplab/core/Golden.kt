package deeplab.core

import java.util.Base64
import org.json.JSONObject

/** Numbers that the Python package made: `python examples/android/golden.py`. */
object Golden {
    private val json =
        JSONObject(Golden::class.java.getResource("/golden.json")!!.readText())

    val facts: ModelFacts = ModelFacts.parse(json.getJSONObject("facts").toString())
    val stretching: ModelFacts = facts.copy(stretches = true)
    val photo: RgbImage = image("photo")

    fun image(name: String): RgbImage {
        val (height, width) = integers("${name}_size")
        return RgbImage(height, width, bytes(name))
    }

    fun bytes(name: String): ByteArray = Base64.getDecoder().decode(json.getString(name))

    fun integers(name: String): List<Int> {
        val array = json.getJSONArray(name)
        return (0 until array.length()).map { array.getInt(it) }
    }

    fun floats(name: String): FloatArray {
        val array = json.getJSONArray(name)
        return FloatArray(array.length()) { array.getDouble(it).toFloat() }
    }
}
