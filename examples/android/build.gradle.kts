// Android's plugin brings its own Kotlin; `core`, which knows no Android, names one.
plugins {
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.kotlin.jvm) apply false
}
