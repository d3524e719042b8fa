package dev.slipstream.pipelines.diffusion.component;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Block;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Encoder;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Pooled;
import dev.slipstream.pipelines.diffusion.component.TextLayout.States;
import dev.slipstream.pipelines.diffusion.text.PromptReading;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How what several text encoders make is put together. */
@Timeout(120)
class TextLayoutTest {
    private static final Encoder FIRST = new Encoder(Component.TEXT_ENCODER, States.PENULTIMATE, Pooled.STATE);
    private static final Encoder SECOND = new Encoder(Component.TEXT_ENCODER_2, States.LAST, Pooled.PROJECTED);
    private static final int TOKENS = 12;
    private static final int WIDTH = 8;

    @TempDir
    private Path folder;

    private TextEncoders open(TextLayout layout) {
        return TextEncoders.open(ModelFolder.open(RandomModel.write(folder, Family.SDXL).path()), layout);
    }

    private Map<String, float[]> encoded(TextLayout layout) {
        Map<String, float[]> encoded = new HashMap<>();
        try (TextEncoders texts = open(layout); Arena arena = Arena.ofShared();
                Device cpu = Devices.discover().open(DeviceSpec.HOST);
                TextEncoder encoder = TextEncoder.build(texts, 0, cpu)) {
            texts.types(1).forEach((name, type) -> encoded.put(name + " " + type.shape(), null));
            encoder.encode(texts.tokenize(new PromptPair("b", "red", PromptReading.DEFAULT)), arena)
                .forEach((name, value) -> encoded.put(name, value.toArray(ValueLayout.JAVA_FLOAT)));
        }
        return encoded;
    }

    private static TextLayout layout(OptionalLong width, Block... blocks) {
        return new TextLayout(List.of(blocks), "pooled_projections", width, false);
    }

    @Test
    void blocksFollowOneAnotherAndZerosFillWhatIsNarrowOrLeftOut() {
        Map<String, float[]> alone = encoded(layout(OptionalLong.empty(), new Block(List.of(FIRST), 0)));
        Map<String, float[]> other = encoded(layout(OptionalLong.empty(), new Block(List.of(SECOND), 0)));
        Map<String, float[]> all = encoded(layout(OptionalLong.of(WIDTH + 3), new Block(List.of(FIRST), 0),
            new Block(List.of(), 2), new Block(List.of(SECOND), 0)));
        assertEquals(true, all.containsKey("encoder_hidden_states [2, 26, 11]"), all.keySet()::toString);
        float[] states = all.get("encoder_hidden_states");
        for (int prompt = 0; prompt < 2; prompt++) {
            for (int token = 0; token < 2 * TOKENS + 2; token++) {
                float[] row = Arrays.copyOfRange(states, (prompt * 26 + token) * 11, (prompt * 26 + token + 1) * 11);
                float[] expected = new float[11];
                if (token < TOKENS) {
                    System.arraycopy(alone.get("encoder_hidden_states"), (prompt * TOKENS + token) * WIDTH, expected,
                        0, WIDTH);
                } else if (token >= TOKENS + 2) {
                    System.arraycopy(other.get("encoder_hidden_states"), (prompt * TOKENS + token - TOKENS - 2) * WIDTH,
                        expected, 0, WIDTH);
                }
                assertArrayEquals(expected, row, "prompt " + prompt + ", token " + token);
            }
        }
        float[] pooled = all.get("pooled_projections");
        float[] first = alone.get("pooled_projections");
        float[] second = other.get("pooled_projections");
        assertEquals(first.length + second.length, pooled.length);
        assertArrayEquals(Arrays.copyOfRange(first, first.length / 2, first.length),
            Arrays.copyOfRange(pooled, pooled.length / 2, pooled.length / 2 + first.length / 2));
        assertArrayEquals(Arrays.copyOf(second, second.length / 2),
            Arrays.copyOfRange(pooled, first.length / 2, pooled.length / 2));
    }

    @Test
    void anEncoderMayGiveItsPooledTextAlone() {
        Encoder quiet = new Encoder(Component.TEXT_ENCODER_2, States.NONE, Pooled.PROJECTED);
        Encoder first = new Encoder(Component.TEXT_ENCODER, States.LAST);
        Map<String, float[]> all = encoded(layout(OptionalLong.empty(), new Block(List.of(quiet, first), 0)));
        assertEquals(2 * TOKENS * WIDTH, all.get("encoder_hidden_states").length);
        assertArrayEquals(encoded(layout(OptionalLong.empty(), new Block(List.of(first), 0)))
            .get("encoder_hidden_states"), all.get("encoder_hidden_states"));
        assertArrayEquals(encoded(layout(OptionalLong.empty(), new Block(List.of(SECOND), 0)))
            .get("pooled_projections"), all.get("pooled_projections"));
    }

    @Test
    void statesThatTheDenoiserCannotReadAreRefused() {
        TextLayout narrow = layout(OptionalLong.of(WIDTH - 1), new Block(List.of(FIRST), 0));
        try (TextEncoders texts = open(narrow)) {
            String message = assertThrows(GraphException.class, () -> texts.types(1)).getMessage();
            assertEquals(folder + ": the text encoders make states of 8 numbers, but the denoiser reads 7", message);
        }
    }
}
