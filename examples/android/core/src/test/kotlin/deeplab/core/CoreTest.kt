package deeplab.core

import java.nio.ByteBuffer
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class CoreTest {
    private val facts = Golden.facts

    @Test
    fun colorsAreThoseOfPascalVoc() {
        assertEquals(Golden.integers("colors"), List(256) { Overlay.color(it) })
    }

    @Test
    fun framesKeepProportionsAndDoNotEnlarge() {
        val numbers = Golden.integers("frames").chunked(4)
        assertTrue(numbers.size > 3)
        for ((height, width, frameHeight, frameWidth) in numbers) {
            assertEquals(Frame(frameHeight, frameWidth), Frame.of(height, width, facts))
        }
        assertEquals(
            Frame(facts.inputHeight, facts.inputWidth), Frame.of(7, 999, Golden.stretching),
        )
    }

    @Test
    fun averagedResizeIsThatOfThePackageToTheBit() {
        for (name in listOf("averaged", "averaged_odd")) {
            val expected = Golden.image(name)
            val found = Resize.averaged(Golden.photo, expected.height, expected.width)
            assertArrayEquals(expected.pixels, found.pixels)
        }
    }

    @Test
    fun sampledResizeIsThatOfThePackageButForRounding() {
        val expected = Golden.image("sampled")
        val found = Resize.sampled(Golden.photo, expected.height, expected.width)
        for ((truth, value) in expected.pixels.zip(found.pixels)) {
            assertEquals((truth.toInt() and 0xff).toFloat(), (value.toInt() and 0xff).toFloat(), 1f)
        }
    }

    @Test
    fun inputIsPaddedWithTheModelsPixel() {
        val input = ModelInput(Golden.photo, facts)
        assertArrayEquals(Golden.bytes("input_bytes"), input.bytes())
        assertArrayEquals(Golden.floats("input_floats"), input.floats(), 1e-6f)
    }

    @Test
    fun labelsAreTheFirstOfTheLargestValues() {
        val (height, width) = Golden.integers("labels_size")
        val map = LabelMap.ofValues(height, width, Golden.floats("logits"))
        assertEquals(Golden.integers("labels"), map.labels.toList())
    }

    @Test
    fun labelsOfBytesGoPast127() {
        val map = LabelMap.ofBytes(1, 2, byteArrayOf(-1, 5))
        assertEquals(listOf(255, 5), map.labels.toList())
    }

    @Test
    fun croppedLabelsLeaveThePaddingOut() {
        val map = LabelMap(2, 3, intArrayOf(1, 2, 9, 3, 4, 9)).cropped(Frame(2, 2))
        assertEquals(listOf(1, 2, 3, 4), map.labels.toList())
        assertEquals(2 to 2, map.height to map.width)
    }

    @Test
    fun sharesComeLargestFirst() {
        val map = LabelMap(1, 4, intArrayOf(3, 1, 3, 2))
        assertEquals(listOf(3 to 0.5, 1 to 0.25, 2 to 0.25), map.shares())
    }

    @Test
    fun overlayIsThatOfThePackage() {
        val (height, width) = Golden.integers("labels_size")
        val map = LabelMap(height, width, Golden.integers("labels").toIntArray())
        val photo = Golden.image("overlay_photo")
        val expected = Golden.image("overlay")
        val found = RgbImage.ofPacked(height, width, Overlay.blend(photo, map, facts.background))
        assertArrayEquals(expected.pixels, found.pixels)
        assertThrows(IllegalArgumentException::class.java) {
            Overlay.blend(photo, LabelMap(1, 1, intArrayOf(0)))
        }
    }

    @Test
    fun packedPixelsLoseTheirTransparency() {
        val image = RgbImage.ofPacked(1, 1, intArrayOf(0x7f0102ff))
        assertArrayEquals(byteArrayOf(1, 2, -1), image.pixels)
        assertThrows(IllegalArgumentException::class.java) { RgbImage(1, 2, ByteArray(3)) }
    }

    @Test
    fun factsAreReadFromTheEndOfAFile() {
        val file = ByteBuffer.wrap(Golden.bytes("file"))
        assertEquals(facts, ModelFacts.read(file))
        assertEquals(0, facts.background)
        assertEquals("background\nroad", AppendedFiles(file).text("labels.txt")!!.take(15))
        assertNull(AppendedFiles(file).text("other.txt"))
        assertThrows(IllegalArgumentException::class.java) {
            ModelFacts.read(ByteBuffer.wrap(ByteArray(99)))
        }
    }

    @Test
    fun filesAreChosenByTheirNamesAndWhatTheyAnswer() {
        val delegate = ModelFile("a.tflite", facts)
        val labels = ModelFile("b.tflite", facts.copy(floatInput = false, labels = true))
        val refined = ModelFile("a_crf.tflite", facts)
        val all = listOf(labels, refined, delegate)
        assertEquals(listOf(true, false, false), listOf(delegate, labels, refined).map { it.forGpu })
        assertEquals(labels, ModelFile.choose(all, gpu = false, crf = false))
        assertEquals(delegate, ModelFile.choose(all, gpu = true, crf = false))
        assertEquals(refined, ModelFile.choose(all, gpu = true, crf = true))
        assertEquals(delegate, ModelFile.choose(listOf(delegate), gpu = false, crf = false))
        assertEquals(labels, ModelFile.choose(listOf(labels), gpu = true, crf = false))
        assertNull(ModelFile.choose(listOf(labels), gpu = false, crf = true))
    }
}
