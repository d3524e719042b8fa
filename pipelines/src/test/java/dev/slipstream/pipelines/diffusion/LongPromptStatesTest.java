package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.component.ComponentGraphs;
import dev.slipstream.pipelines.diffusion.component.PromptPair;
import dev.slipstream.pipelines.diffusion.component.TextEncoder;
import dev.slipstream.pipelines.diffusion.text.PromptReading;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the denoiser reads of long and of weighted prompts, against the text encoder run alone. */
@Timeout(120)
class LongPromptStatesTest {
    private static final List<String> WORDS =
        List.of("a", "large", "red", "star", "on", "the", "blue", "sky");
    private static final int TOKENS = 77;
    private static final int ROOM = 75;
    private static final int WIDTH = 32;

    @TempDir
    private Path folder;

    /** Words that are one token each. */
    static String words(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> WORDS.get(i % WORDS.size())).collect(Collectors.joining(" "));
    }

    private Map<String, float[]> encode(PromptPair prompts) {
        Map<String, float[]> encoded = new LinkedHashMap<>();
        encodeBytes(prompts).forEach((name, bytes) -> encoded.put(name, bytes.toArray(ValueLayout.JAVA_FLOAT)));
        return encoded;
    }

    private Map<String, MemorySegment> encodeBytes(PromptPair prompts) {
        try (LoadedModel model = LoadedModel.read(ModelFolder.open(folder), Precision.FP32);
             Device cpu = Devices.discover().open(List.of(DeviceSpec.parse("cpu:1"))).getFirst();
             TextEncoder encoder = TextEncoder.build(model.texts(), 0, cpu)) {
            return encoder.encode(model.texts().tokenize(prompts), Arena.ofAuto());
        }
    }

    /** An output of one encoder for one prompt that fits, without any of the code that is tested. */
    private float[] alone(String component, String tokenizer, String output, String prompt) throws OrtException {
        try (Tokenizer words = Tokenizer.open(folder.resolve(tokenizer))) {
            OnnxRunner runner = new OnnxRunner();
            Map<String, OnnxTensor> inputs =
                Map.of("input_ids", runner.tensor(words.encode(prompt).ids(), 1, TOKENS));
            return OnnxRunner.floats(runner.run(new ComponentGraphs(ModelFolder.open(folder))
                .textEncoder(Component.valueOf(component.toUpperCase()), 0), inputs).get(output));
        }
    }

    /** The rows of some tokens times a weight, and all times what gives the old mean back. */
    private static float[] weighted(float[] states, int from, int to, double weight) {
        double[] weighted = new double[states.length];
        double before = 0;
        double after = 0;
        for (int i = 0; i < states.length; i++) {
            weighted[i] = states[i] * (i / WIDTH >= from && i / WIDTH < to ? weight : 1);
            before += states[i];
            after += weighted[i];
        }
        float[] kept = new float[states.length];
        for (int i = 0; i < states.length; i++) {
            kept[i] = (float) (weighted[i] * before / after);
        }
        return kept;
    }

    /** Columns of one encoder, of {@code encoders} side by side, from the row of one prompt. */
    private static float[] part(float[] states, int row, int chunk, int encoder, int encoders) {
        int chunks = states.length / (2 * TOKENS * WIDTH * encoders);
        float[] part = new float[TOKENS * WIDTH];
        for (int token = 0; token < TOKENS; token++) {
            int at = (((row * chunks + chunk) * TOKENS + token) * encoders + encoder) * WIDTH;
            System.arraycopy(states, at, part, token * WIDTH, WIDTH);
        }
        return part;
    }

    @Test
    void theWordsAreOneTokenEach() {
        ModelTemplate.of(ModelFamily.SD15, true).write(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder.resolve("tokenizer"))) {
            assertEquals(100 + 2, tokenizer.encode(words(0, 100)).needed());
        }
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"SD15", "SDXL"})
    void aPlainPromptGivesTheSameBitsHoweverPromptsAreRead(ModelFamily family) {
        ModelTemplate.of(family, true).write(folder);
        Map<String, float[]> plain = encode(new PromptPair("a sky", "a red star", PromptReading.DEFAULT));
        for (PromptReading reading : List.of(new PromptReading(true, false), new PromptReading(false, true),
            new PromptReading(true, true))) {
            Map<String, float[]> read = encode(new PromptPair("a sky", "a red star", reading));
            assertEquals(plain.keySet(), read.keySet());
            plain.forEach((name, values) -> assertArrayEquals(values, read.get(name), name + " " + reading));
            Map<String, float[]> ones = encode(new PromptPair("(a:1) sky", "a (red:1.0) star",
                new PromptReading(true, reading.whole())));
            plain.forEach((name, values) -> assertArrayEquals(values, ones.get(name), "weights of 1, " + name));
        }
        assertFalse(Arrays.equals(plain.get("encoder_hidden_states"), encode(new PromptPair("a sky",
            "a (red:1.0) star", PromptReading.DEFAULT)).get("encoder_hidden_states")), "brackets are text");
    }

    @Test
    void chunksStandOneAfterAnotherEachWeighedForItself() throws OrtException {
        ModelTemplate.of(ModelFamily.SD15, true).write(folder);
        // Words 70 to 79 are heavy: five of them end the first chunk, five begin the second.
        String prompt = words(0, 70) + " (" + words(70, 80) + ":1.5) " + words(80, 100);
        float[] states = encode(new PromptPair("(sky:0.5) star", prompt, new PromptReading(true, true)))
            .get("encoder_hidden_states");

        assertEquals(2 * 2 * TOKENS * WIDTH, states.length);
        String[] source = {"text_encoder", "tokenizer", "last_hidden_state"};
        float[] first = alone(source[0], source[1], source[2], words(0, ROOM));
        float[] second = alone(source[0], source[1], source[2], words(ROOM, 100));
        assertArrayEquals(weighted(first, 71, 76, 1.5), part(states, 1, 0, 0, 1), 1e-4f);
        assertArrayEquals(weighted(second, 1, 6, 1.5), part(states, 1, 1, 0, 1), 1e-4f);
        assertArrayEquals(weighted(alone(source[0], source[1], source[2], "sky star"), 1, 2, 0.5),
            part(states, 0, 0, 0, 1), 1e-4f);
        assertArrayEquals(alone(source[0], source[1], source[2], ""), part(states, 0, 1, 0, 1), 1e-4f,
            "the shorter prompt is filled up with an empty one");
    }

    @Test
    void encodersOfSdxlStandSideBySideAndThePooledTextIsTheFirstChunksWithoutWeights() throws OrtException {
        ModelTemplate.of(ModelFamily.SDXL, true).write(folder);
        String prompt = "(" + words(0, 10) + ":2) " + words(10, 100);
        Map<String, float[]> encoded = encode(new PromptPair("sky", prompt, new PromptReading(true, true)));
        float[] states = encoded.get("encoder_hidden_states");
        assertEquals(2 * 2 * TOKENS * 2 * WIDTH, states.length);
        for (int encoder = 0; encoder < 2; encoder++) {
            String number = encoder == 0 ? "" : "_2";
            for (int chunk = 0; chunk < 2; chunk++) {
                float[] alone = alone("text_encoder" + number, "tokenizer" + number, "hidden_states.1",
                    chunk == 0 ? words(0, ROOM) : words(ROOM, 100));
                assertArrayEquals(chunk == 0 ? weighted(alone, 1, 11, 2) : alone,
                    part(states, 1, chunk, encoder, 2), 1e-4f);
            }
        }
        float[] pooled = encoded.get("text_embeds");
        assertArrayEquals(alone("text_encoder_2", "tokenizer_2", "text_embeds", "sky"),
            Arrays.copyOf(pooled, WIDTH), 1e-4f);
        assertArrayEquals(alone("text_encoder_2", "tokenizer_2", "text_embeds", words(0, ROOM)),
            Arrays.copyOfRange(pooled, WIDTH, 2 * WIDTH), 1e-4f);
    }

    @Test
    void statesInHalvesAreWeighedAsHalves() throws OrtException, IOException {
        ModelTemplate.of(ModelFamily.SD15, true).write(folder);
        float[] expected = weighted(alone("text_encoder", "tokenizer", "last_hidden_state", "red star"), 1, 2, 3);
        Graph whole = new ComponentGraphs(ModelFolder.open(folder)).textEncoder(Component.TEXT_ENCODER, 0);
        ValueInfoProto.Builder halves = whole.outputs().getFirst().toBuilder().setName("halves");
        halves.getTypeBuilder().getTensorTypeBuilder().setElemType(DataType.FLOAT16_VALUE);
        List<NodeProto> nodes = new ArrayList<>(whole.nodes());
        nodes.add(NodeProto.newBuilder().setOpType("Cast").addInput("last_hidden_state").addOutput("halves")
            .addAttribute(AttributeProto.newBuilder().setName("to").setType(AttributeProto.AttributeType.INT)
                .setI(DataType.FLOAT16_VALUE)).build());
        GraphFile.write(whole.with(whole.inputs(), List.of(halves.build()), nodes, whole.weights()),
            folder.resolve("text_encoder").resolve("model.onnx"));

        MemorySegment both = encodeBytes(new PromptPair("sky", "(red:3) star", new PromptReading(true, false)))
            .get("encoder_hidden_states");
        short[] bits = both.toArray(ValueLayout.JAVA_SHORT);
        assertEquals(2 * TOKENS * WIDTH, bits.length);
        for (int i = 0; i < expected.length; i++) {
            float half = Float.float16ToFloat(bits[TOKENS * WIDTH + i]);
            assertEquals(expected[i], half, 4e-3 * (1 + Math.abs(expected[i])));
        }
    }

    @Test
    void anEncoderWhoseTokenizerNeedsFewerChunksReadsEmptyPromptsMeanwhile() throws OrtException, IOException {
        ModelTemplate.of(ModelFamily.SDXL, true).write(folder);
        // Without merges every letter is a token.
        Files.writeString(folder.resolve("tokenizer_2").resolve("merges.txt"), "#version: 0.2\n");
        float[] states = encode(new PromptPair("sky", words(0, 50), new PromptReading(false, true)))
            .get("encoder_hidden_states");
        int letters = words(0, 50).replace(" ", "").length();
        int chunks = (letters + ROOM - 1) / ROOM;
        assertEquals(2 * chunks * TOKENS * 2 * WIDTH, states.length);
        assertArrayEquals(alone("text_encoder", "tokenizer", "hidden_states.1", words(0, 50)),
            part(states, 1, 0, 0, 2), 1e-4f);
        assertArrayEquals(alone("text_encoder", "tokenizer", "hidden_states.1", ""),
            part(states, 1, chunks - 1, 0, 2), 1e-4f);
        assertArrayEquals(alone("text_encoder_2", "tokenizer_2", "hidden_states.1", ""),
            part(states, 0, chunks - 1, 1, 2), 1e-4f);
    }

    @Test
    void anEmptyNegativePromptIsZerosInEveryChunk() {
        ModelTemplate.of(ModelFamily.SDXL, true).write(folder);
        encode(new PromptPair("", words(0, 100), new PromptReading(false, true))).forEach((name, both) -> {
            float[] zeros = new float[both.length / 2];
            assertArrayEquals(zeros, Arrays.copyOf(both, zeros.length), name);
            assertFalse(Arrays.equals(zeros, Arrays.copyOfRange(both, zeros.length, both.length)), name);
        });
    }
}
