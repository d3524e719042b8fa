package dev.slipstream.pipelines.diffusion.text;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.slipstream.pipelines.model.ModelException;
import java.nio.file.Path;

/**
 * Handles of the tokenizers library (huggingface/tokenizers, through DJL's JNI functions): calls and checks, no more.
 *
 * <p>The library's own padding, truncation, templates and decoders are never used: the first two are set differently by
 * DJL than the file says, and a damaged one of the others aborts the whole process ({@link TokenizerJson} leaves them
 * out). Calls exclude one another, so a close never pulls a handle from under a call.
 */
final class NativeTokenizer implements AutoCloseable {
    private static final TokenizersLibrary LIBRARY = TokenizersLibrary.LIB;

    private final Path source;
    private long handle;

    /** @param source for messages */
    NativeTokenizer(Path source, String json) {
        NativeTokenizerLibrary.load();
        this.source = source;
        try {
            this.handle = LIBRARY.createTokenizerFromString(json);
        } catch (RuntimeException e) {
            throw new ModelException(source + " is not a tokenizer that can be used: " + e.getMessage(), e);
        }
    }

    /**
     * The tokens of a text, as they are.
     *
     * @param starts where in the text each begins, counted in code points
     */
    record Encoding(long[] ids, int[] starts) {
    }

    /** @param mostWithoutStarts up to so many tokens, {@code starts} is left empty */
    synchronized Encoding encode(String text, int mostWithoutStarts) {
        if (handle == 0) {
            throw new IllegalStateException("the tokenizer " + source + " is closed");
        }
        long encoding = 0;
        try {
            encoding = LIBRARY.encode(handle, text, false);
            long[] ids = LIBRARY.getTokenIds(encoding);
            return new Encoding(ids, ids.length > mostWithoutStarts ? starts(encoding, ids.length) : new int[0]);
        } catch (RuntimeException e) {
            throw new ModelException("the tokenizer " + source + " failed: " + e.getMessage(), e);
        } finally {
            if (encoding != 0) {
                LIBRARY.deleteEncoding(encoding);
            }
        }
    }

    private static int[] starts(long encoding, int count) {
        CharSpan[] spans = LIBRARY.getTokenCharSpans(encoding);
        int[] starts = new int[count];
        for (int i = 0; i < count; i++) {
            starts[i] = spans[i] == null ? 0 : spans[i].getStart();
        }
        return starts;
    }

    @Override
    public synchronized void close() {
        if (handle != 0) {
            LIBRARY.deleteTokenizer(handle);
            handle = 0;
        }
    }
}
