plugins {
    application
}

repositories {
    // The folder that ./mvnw deploy wrote.
    maven { url = uri(providers.gradleProperty("slipstream.repository").getOrElse("../../../target/repository")) }
    mavenCentral()
}

dependencies {
    implementation(platform("dev.slipstream:slipstream-bom:0.1.0-SNAPSHOT"))
    implementation("dev.slipstream:slipstream-pipelines")
    // Where log messages go: any provider of SLF4J will do.
    runtimeOnly("org.slf4j:slf4j-jdk14:2.0.17")
}

tasks.compileJava {
    options.release = 22
}

application {
    mainModule = "org.example.draw"
    mainClass = "org.example.draw.Draw"
    applicationDefaultJvmArgs = listOf("--enable-native-access=dev.slipstream.bridge,com.microsoft.onnxruntime")
}
