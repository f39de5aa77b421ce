package deeplab.app

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.ImageDecoder
import android.net.Uri
import deeplab.core.Overlay
import deeplab.core.RgbImage

// A photo is shown on a screen: one of a hundred megapixels need not be held.
private const val MOST_PIXELS = 4_000_000

/** Decodes a picked photo, upright. */
fun readPhoto(resolver: ContentResolver, uri: Uri): Bitmap =
    ImageDecoder.decodeBitmap(ImageDecoder.createSource(resolver, uri)) { decoder, info, _ ->
        decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
        var sample = 1
        while (info.size.width / sample * (info.size.height / sample) > MOST_PIXELS) sample++
        decoder.setTargetSampleSize(sample)
    }

/** The pixels of a picture. */
fun rgbOf(bitmap: Bitmap): RgbImage {
    val packed = IntArray(bitmap.width * bitmap.height)
    bitmap.getPixels(packed, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
    return RgbImage.ofPacked(bitmap.height, bitmap.width, packed)
}

/** The picture that shows what was found where. */
fun overlayOf(found: Segmenter.Found, background: Int?): Bitmap {
    val packed = Overlay.blend(found.photo, found.map, background)
    return Bitmap.createBitmap(
        packed, found.map.width, found.map.height, Bitmap.Config.ARGB_8888,
    )
}
