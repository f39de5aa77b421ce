package deeplab.app

import android.Manifest
import android.graphics.Bitmap
import android.net.Uri
import android.os.Bundle
import android.os.SystemClock
import android.text.SpannableStringBuilder
import android.text.style.ForegroundColorSpan
import android.widget.Button
import android.widget.ImageView
import android.widget.Switch
import android.widget.TextView
import androidx.activity.ComponentActivity
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import androidx.activity.result.contract.ActivityResultContracts.RequestPermission
import androidx.lifecycle.lifecycleScope
import deeplab.core.LabelMap
import deeplab.core.ModelFile
import deeplab.core.Overlay
import java.util.concurrent.Executors
import kotlinx.coroutines.launch

/** The camera or a photo, with what is in it in colour. */
class MainActivity : ComponentActivity() {
    // Loads and runs the model, one thing after another.
    private val worker = Executors.newSingleThreadExecutor()
    private val camera = Camera(this, worker)
    // These three are the worker's.
    private var files = emptyList<ModelFile>()
    private var segmenter: Segmenter? = null
    private var photo: Bitmap? = null

    private val picture by lazy { findViewById<ImageView>(R.id.picture) }
    private val latency by lazy { findViewById<TextView>(R.id.latency) }
    private val legend by lazy { findViewById<TextView>(R.id.legend) }
    private val gpu by lazy { findViewById<Switch>(R.id.gpu) }
    private val crf by lazy { findViewById<Switch>(R.id.crf) }

    private val picker = registerForActivityResult(PickVisualMedia()) { it?.let(::openPhoto) }
    private val permission = registerForActivityResult(RequestPermission()) { granted ->
        if (granted) openCamera() else latency.setText(R.string.no_camera)
    }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.main)
        findViewById<Button>(R.id.camera).setOnClickListener {
            permission.launch(Manifest.permission.CAMERA)
        }
        findViewById<Button>(R.id.photo).setOnClickListener {
            picker.launch(PickVisualMediaRequest(PickVisualMedia.ImageOnly))
        }
        gpu.setOnCheckedChangeListener { _, _ -> switched() }
        crf.setOnCheckedChangeListener { _, _ -> switched() }
        onWorker { files = modelsIn(assets) }
        switched()
    }

    override fun onDestroy() {
        super.onDestroy()
        camera.stop()
        worker.execute { segmenter?.close() }
        worker.shutdown()
    }

    private fun switched() {
        val (onGpu, withCrf) = gpu.isChecked to crf.isChecked
        onWorker {
            segmenter?.close()
            segmenter = null
            val file = ModelFile.choose(files, onGpu, withCrf)
            if (file == null) show { latency.setText(R.string.no_model) }
            else segmenter = Segmenter(assets, file, onGpu && file.forGpu)
            photo?.let(::segment)
        }
    }

    private fun openPhoto(uri: Uri) {
        camera.stop()
        onWorker { photo = readPhoto(contentResolver, uri).also(::segment) }
    }

    private fun openCamera() {
        onWorker { photo = null }
        lifecycleScope.launch {
            runCatching { camera.start { frame -> told { segment(frame) } } }.onFailure(::tell)
        }
    }

    private fun segment(bitmap: Bitmap) {
        val runner = segmenter ?: return
        val (file, place) = runner.file to if (runner.gpu) "GPU" else "CPU"
        val start = SystemClock.elapsedRealtimeNanos()
        val found = runner.segment(rgbOf(bitmap))
        val overlay = overlayOf(found, file.facts.background)
        val all = (SystemClock.elapsedRealtimeNanos() - start) / 1e6
        val text = getString(R.string.latency, file.name, place, found.modelMillis, all)
        val names = legendOf(found.map, file.facts.classNames)
        show {
            picture.setImageBitmap(overlay)
            latency.text = text
            legend.text = names
        }
    }

    private fun legendOf(map: LabelMap, names: List<String>): CharSequence {
        val text = SpannableStringBuilder()
        for ((label, share) in map.shares()) {
            val start = text.length
            text.append("\u25A0 ")
            val color = ForegroundColorSpan(0xff shl 24 or Overlay.color(label))
            text.setSpan(color, start, text.length, 0)
            text.append("%s %.0f %%   ".format(names.getOrElse(label) { "$it" }, 100 * share))
        }
        return text
    }

    private fun onWorker(job: () -> Unit) = worker.execute { told(job) }

    private fun told(job: () -> Unit) {
        runCatching(job).onFailure(::tell)
    }

    private fun tell(error: Throwable) = show {
        latency.text = getString(R.string.failed, error.message ?: error.javaClass.simpleName)
    }

    private fun show(change: () -> Unit) = runOnUiThread(change)
}
