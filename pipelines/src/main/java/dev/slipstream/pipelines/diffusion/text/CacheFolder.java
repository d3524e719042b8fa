package dev.slipstream.pipelines.diffusion.text;

import dev.slipstream.bridge.file.UserCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where native libraries that jars carry are unpacked.
 *
 * @param temporary whether it is for this process only, which is to delete it
 */
public record CacheFolder(Path path, boolean temporary) {

    /** The folder for Slipstream, made if need be; where the user's cannot be written, a new temporary one. */
    public static CacheFolder ofUser() throws IOException {
        Path folder = UserCache.folder();
        try {
            Files.createDirectories(folder);
            if (Files.isWritable(folder)) {
                return new CacheFolder(folder, false);
            }
        } catch (IOException e) {
            // A container may have no home at all; then the temporary folder below serves this process.
        }
        return new CacheFolder(Files.createTempDirectory("slipstream"), true);
    }
}
