package deeplab.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The zip archive at the end of a TFLite file, whose members are not compressed. */
class AppendedFiles(private val content: ByteBuffer) {
    private val bytes = content.duplicate().order(ByteOrder.LITTLE_ENDIAN)
    private val places = readDirectory()

    /** The text of a member, or null if there is none of that name. */
    fun text(name: String): String? {
        val (start, size) = places[name] ?: return null
        return String(slice(start, size), Charsets.UTF_8)
    }

    private fun readDirectory(): Map<String, Pair<Int, Int>> {
        val end = (bytes.limit() - END_SIZE downTo 0)
            .firstOrNull { bytes.getInt(it) == END } ?: return emptyMap()
        val start = end - bytes.getInt(end + 12)
        // Where the archive counts its offsets from: the file's start, or its own.
        val origin = start - bytes.getInt(end + 16)
        val found = mutableMapOf<String, Pair<Int, Int>>()
        var entry = start
        repeat(bytes.getShort(end + 10).toInt()) {
            require(bytes.getShort(entry + 10).toInt() == STORED) { "A member is compressed." }
            val nameSize = bytes.getShort(entry + 28).toInt()
            val name = String(slice(entry + 46, nameSize), Charsets.UTF_8)
            val local = origin + bytes.getInt(entry + 42)
            val data = local + 30 + bytes.getShort(local + 26) + bytes.getShort(local + 28)
            found[name] = data to bytes.getInt(entry + 24)
            entry += 46 + nameSize + bytes.getShort(entry + 30) + bytes.getShort(entry + 32)
        }
        return found
    }

    private fun slice(start: Int, size: Int): ByteArray {
        val view = content.duplicate()
        view.position(start)
        return ByteArray(size).also { view.get(it) }
    }

    private companion object {
        const val END = 0x06054b50
        const val END_SIZE = 22
        const val STORED = 0
    }
}
