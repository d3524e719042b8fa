package dev.slipstream.pipelines.diffusion.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Properties;

/**
 * Loads the native library inside DJL's tokenizers jar.
 *
 * <p>DJL's own loader is not used: before it loads anything it asks the CUDA runtime for GPUs, may download another
 * build for them, and reports to a server when it believes to be in a cloud; that costs some 350 ms and the privacy of
 * the user. This one unpacks the library once into the user's cache folder and loads it, which takes 2 ms.
 */
final class NativeTokenizerLibrary {
    private static final String ROOT = "/native/lib/";

    private final String operatingSystem;
    private final List<String> files;

    private NativeTokenizerLibrary(String operatingSystem, List<String> files) {
        this.operatingSystem = operatingSystem;
        this.files = files;
    }

    private static NativeTokenizerLibrary ofThisMachine() {
        String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (name.startsWith("win")) {
            // In the order in which they need each other.
            return new NativeTokenizerLibrary("win", List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll",
                "libstdc++-6.dll", "tokenizers.dll"));
        }
        return new NativeTokenizerLibrary(name.startsWith("mac") ? "osx" : "linux",
            List.of(System.mapLibraryName("tokenizers")));
    }

    /** Loads the library; if this class loader has it already, nothing happens. @throws ModelException */
    static void load() {
        ofThisMachine().loadAll();
    }

    private void loadAll() {
        String architecture = System.getProperty("os.arch").replace("amd64", "x86_64");
        String platform = operatingSystem + "-" + architecture;
        Module module = NativeTokenizerLibrary.class.getModule();
        try {
            CacheFolder cache = CacheFolder.ofUser();
            Path folder = Files.createDirectories(cache.path().resolve("tokenizers-" + version() + "-" + platform));
            if (cache.temporary()) {
                // Deleted in the opposite order.
                cache.path().toFile().deleteOnExit();
                folder.toFile().deleteOnExit();
                files.forEach(file -> folder.resolve(file).toFile().deleteOnExit());
            }
            for (String file : files) {
                URL resource = TokenizersLibrary.class.getResource(ROOT + platform + "/cpu/" + file);
                if (resource == null) {
                    throw new ModelException("there is no tokenizer library for " + platform
                        + " in the jar ai.djl.huggingface:tokenizers");
                }
                System.load(unpacked(resource, folder.resolve(file)).toString());
            }
        } catch (IOException e) {
            throw new ModelException("cannot unpack the tokenizer library: " + e.getMessage(), e);
        } catch (IllegalCallerException e) {
            // Ours loads the library, DJL's binds its functions.
            String modules = module.isNamed()
                ? module.getName() + "," + TokenizersLibrary.class.getModule().getName() : "ALL-UNNAMED";
            throw new ModelException("Java does not let the tokenizer library be loaded; start it with "
                + "--enable-native-access=" + modules, e);
        } catch (UnsatisfiedLinkError e) {
            throw new ModelException("cannot load the tokenizer library: " + e.getMessage(), e);
        }
    }

    private static String version() throws IOException {
        Properties properties = new Properties();
        try (InputStream in = TokenizersLibrary.class.getResourceAsStream(ROOT + "tokenizers.properties")) {
            if (in != null) {
                properties.load(in);
            }
        }
        return properties.getProperty("version", "unknown");
    }

    /** The file with the resource's contents; one of another length was cut short, or is not ours. */
    private static Path unpacked(URL resource, Path file) throws IOException {
        URLConnection connection = resource.openConnection();
        connection.setUseCaches(false);
        try (InputStream in = connection.getInputStream()) {
            if (!Files.exists(file) || Files.size(file) != connection.getContentLengthLong()) {
                AtomicFile.write(file, channel -> in.transferTo(Channels.newOutputStream(channel)));
            }
        }
        return file;
    }
}
