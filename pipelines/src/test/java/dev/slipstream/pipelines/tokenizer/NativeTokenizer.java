package dev.slipstream.pipelines.tokenizer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import net.jqwik.api.lifecycle.LifecycleContext;
import net.jqwik.api.lifecycle.SkipExecutionHook;
import org.opentest4j.TestAbortedException;

/**
 * huggingface/tokenizers itself, through the JNI functions of DJL: what ours is compared with. Damaged files are not
 * for it, as some abort the process. Where there is no native library for the machine, the test is skipped.
 */
final class NativeTokenizer implements AutoCloseable {
    private static final TokenizersLibrary LIBRARY = loaded();

    private final long handle;

    /** Skips properties where there is no native library. One of which every try is skipped counts as failed. */
    static class OrSkip implements SkipExecutionHook {
        /** @throws TestAbortedException if something is missing */
        void check() {
            requireLibrary();
        }

        @Override
        public SkipResult shouldBeSkipped(LifecycleContext context) {
            try {
                check();
                return SkipResult.doNotSkip();
            } catch (TestAbortedException missing) {
                return SkipResult.skip(missing.getMessage());
            }
        }
    }

    private static void requireLibrary() {
        assumeTrue(LIBRARY != null, "there is no native library of huggingface/tokenizers for this machine");
    }

    NativeTokenizer(String json) {
        requireLibrary();
        handle = LIBRARY.createTokenizerFromString(json);
    }

    /** DJL's own loader looks for GPUs and may download another build for them. */
    private static TokenizersLibrary loaded() {
        String system = System.getProperty("os.name").startsWith("Mac") ? "osx" : "linux";
        String resource = "/native/lib/" + system + "-" + System.getProperty("os.arch").replace("amd64", "x86_64")
            + "/cpu/" + System.mapLibraryName("tokenizers");
        try (InputStream in = TokenizersLibrary.class.getResourceAsStream(resource)) {
            if (in == null) {
                return null;
            }
            Path file = Files.createTempFile("tokenizers", null);
            file.toFile().deleteOnExit();
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
            System.load(file.toString());
            return TokenizersLibrary.LIB;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As {@link TokenEncoder#encode}. */
    Encoding encode(String text) {
        long encoding = LIBRARY.encode(handle, text, false);
        try {
            CharSpan[] spans = LIBRARY.getTokenCharSpans(encoding);
            int[] starts = new int[spans.length];
            for (int i = 0; i < starts.length; i++) {
                starts[i] = spans[i] == null ? 0 : text.offsetByCodePoints(0, spans[i].getStart());
            }
            return new Encoding(LIBRARY.getTokenIds(encoding), starts);
        } finally {
            LIBRARY.deleteEncoding(encoding);
        }
    }

    @Override
    public void close() {
        LIBRARY.deleteTokenizer(handle);
    }
}
