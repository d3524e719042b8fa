package dev.slipstream.pipelines.diffusion.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How long prompts become, from what the tokenizer says and what the text encoder takes. */
class TokenizerLengthTest {
    @TempDir
    private Path path;

    @BeforeEach
    void makeFolder() throws IOException {
        new TokenizerFolder(path).withClip(77);
    }

    private int length(String said, OptionalInt positions) throws IOException {
        new TokenizerFolder(path).put("tokenizer_config.json", "{\"model_max_length\": " + said + "}");
        try (Tokenizer tokenizer = Tokenizer.open(path, positions)) {
            assertEquals(tokenizer.length(), tokenizer.encode("red ".repeat(300)).ids().length);
            return tokenizer.length();
        }
    }

    @Test
    void aLengthThatNoEncoderTakesCountsAsNotSaid() throws IOException {
        for (String absurd : new String[] {"1000000000000000019884624838656", "1e30", "8192", "1000000", "null"}) {
            assertEquals(77, length(absurd, OptionalInt.empty()), absurd);
            assertEquals(248, length(absurd, OptionalInt.of(248)), absurd);
        }
    }

    @Test
    void theEncoderBoundsTheLengthAndTheTokenizerMaySayLess() throws IOException {
        assertEquals(77, length("512", OptionalInt.of(77)));
        assertEquals(20, length("20", OptionalInt.of(77)));
        assertEquals(512, length("512", OptionalInt.empty()));
        assertEquals(4096, length("5000", OptionalInt.of(1 << 20)));
    }

    @Test
    void lengthsThatAreNoneAreRefused() {
        for (String wrong : new String[] {"0", "-1", "7.5", "\"many\"", "[]", "2"}) {
            assertThrows(ModelException.class, () -> length(wrong, OptionalInt.of(77)), wrong);
        }
    }
}
