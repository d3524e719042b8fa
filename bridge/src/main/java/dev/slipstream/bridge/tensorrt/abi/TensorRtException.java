package dev.slipstream.bridge.tensorrt.abi;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A call of TensorRT failed. The message names it, and has what TensorRT logged meanwhile and what to do about it. */
public final class TensorRtException extends DeviceException {
    private static final long serialVersionUID = 1;
    private static final Pattern BUILDER_RESOURCE =
        Pattern.compile("(libnvinfer_builder_resource(?:_(?:sm(\\d+)|ptx))?\\.so[.\\d]*\\d)");
    private static final Pattern OLD_DRIVER = Pattern.compile("(?i)CUDA initialization failure with error: 35\\b");
    private static final Pattern OUT_OF_MEMORY = Pattern.compile("(?i)out ?of ?memory");

    public TensorRtException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * What to throw when a call failed: an exception of this class, or that of a device without memory.
     *
     * @param what what failed
     * @param messages what TensorRT said meanwhile, one line each
     */
    public static DeviceException of(String what, List<String> messages, Optional<Throwable> cause) {
        String text = what + (messages.isEmpty() ? " and said nothing" : ": " + String.join("; ", messages))
            + remedy(messages).map(remedy -> " (" + remedy + ")").orElse("");
        boolean isOutOfMemory = messages.stream().anyMatch(message -> OUT_OF_MEMORY.matcher(message).find());
        return isOutOfMemory ? new DeviceOutOfMemoryException(text, cause.orElse(null))
            : new TensorRtException(text, cause.orElse(null));
    }

    private static Optional<String> remedy(List<String> messages) {
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
}
