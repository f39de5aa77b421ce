package deeplab.app

import android.graphics.Bitmap
import android.util.Size
import androidx.activity.ComponentActivity
import androidx.camera.core.CameraSelector
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.resolutionselector.ResolutionSelector
import androidx.camera.core.resolutionselector.ResolutionStrategy
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.camera.lifecycle.awaitInstance
import java.util.concurrent.Executor

/** Frames of the back camera, upright: the newest, whenever the last one is done. */
class Camera(private val activity: ComponentActivity, private val worker: Executor) {
    private var provider: ProcessCameraProvider? = null

    suspend fun start(take: (Bitmap) -> Unit) {
        val found = ProcessCameraProvider.awaitInstance(activity)
        val analysis = ImageAnalysis.Builder()
            .setResolutionSelector(RESOLUTION)
            .setOutputImageFormat(ImageAnalysis.OUTPUT_IMAGE_FORMAT_RGBA_8888)
            .setOutputImageRotationEnabled(true)
            .setBackpressureStrategy(ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST)
            .build()
        analysis.setAnalyzer(worker) { frame -> frame.use { take(it.toBitmap()) } }
        found.unbindAll()
        found.bindToLifecycle(activity, CameraSelector.DEFAULT_BACK_CAMERA, analysis)
        provider = found
    }

    fun stop() {
        provider?.unbindAll()
        provider = null
    }

    private companion object {
        val RESOLUTION: ResolutionSelector = ResolutionSelector.Builder()
            .setResolutionStrategy(
                ResolutionStrategy(
                    Size(640, 480),
                    ResolutionStrategy.FALLBACK_RULE_CLOSEST_HIGHER_THEN_LOWER,
                )
            )
            .build()
    }
}
