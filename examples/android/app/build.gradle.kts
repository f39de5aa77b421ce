plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "deeplab.app"
    compileSdk = 37

    defaultConfig {
        applicationId = "deeplab.app"
        minSdk = 28
        targetSdk = 36
        versionCode = 1
        versionName = "1.0"
        ndk { abiFilters += listOf("arm64-v8a", "x86_64") }
    }

    buildTypes {
        release { isMinifyEnabled = false }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    // LiteRT maps the file into memory as it lies in the package.
    androidResources { noCompress += "tflite" }
}

dependencies {
    implementation(project(":core"))
    implementation(libs.activity)
    implementation(libs.camera.camera2)
    implementation(libs.camera.lifecycle)
    implementation(libs.lifecycle.runtime)
    implementation(libs.litert)
    implementation(libs.litert.gpu)
}
