package dev.slipstream.bridge.tensorrt;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What to do about messages of TensorRT whose remedy is known. */
final class Advice {
    private static final Pattern BUILDER_RESOURCE =
        Pattern.compile("(libnvinfer_builder_resource(?:_(?:sm(\\d+)|ptx))?\\.so[.\\d]*\\d)");
    private static final Pattern OLD_DRIVER = Pattern.compile("(?i)CUDA initialization failure with error: 35\\b");
    private static final Pattern OUT_OF_MEMORY = Pattern.compile("(?i)out ?of ?memory");

    private Advice() {
    }

    static Optional<String> on(List<String> messages) {
        for (String message : messages) {
            Matcher resource = BUILDER_RESOURCE.matcher(message);
            if (resource.find()) {
                String kind = resource.group(2) == null ? "" : " for sm_" + resource.group(2);
                return Optional.of("install the TensorRT builder resource" + kind + " (" + resource.group(1)
                    + ") beside libnvinfer");
            }
            if (OLD_DRIVER.matcher(message).find()) {
                return Optional.of(
                    "install or update the NVIDIA driver: there is none, or it is too old for this TensorRT");
            }
        }
        return Optional.empty();
    }

    static boolean isOutOfMemory(List<String> messages) {
        return messages.stream().anyMatch(message -> OUT_OF_MEMORY.matcher(message).find());
    }
}
