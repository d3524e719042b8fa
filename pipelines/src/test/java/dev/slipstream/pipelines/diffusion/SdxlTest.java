package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.Conditioning.Size;
import dev.slipstream.pipelines.diffusion.component.ComponentGraphs;
import dev.slipstream.pipelines.diffusion.component.PromptPair;
import dev.slipstream.pipelines.diffusion.component.TextEncoder;
import dev.slipstream.pipelines.diffusion.component.TextEncoderGraph;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.diffusion.family.LatentGrid;
import dev.slipstream.pipelines.diffusion.text.PromptReading;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What SDXL's denoiser is told: states of two encoders, a pooled text, sizes. */
@Timeout(120)
class SdxlTest {
    private static final int TOKENS = 12;
    private static final int WIDTH = 8;
    private static final Size PICTURE = new Size(16, 24);

    @TempDir
    private Path folder;

    private LoadedModel read(Family family) {
        return LoadedModel.read(ModelFolder.open(RandomModel.write(folder, family).path()), Precision.FP32);
    }

    private static PromptPair plain(String unconditional, String conditional) {
        return new PromptPair(unconditional, conditional, PromptReading.DEFAULT);
    }

    /** [2, tokens, width] of one encoder, for the prompts "b" and "red". */
    private float[] expected(Component component, TextEncoderGraph text, String output) throws OrtException {
        long[] ids = new long[2 * TOKENS];
        System.arraycopy(text.tokenizer().encode("b").ids(), 0, ids, 0, TOKENS);
        System.arraycopy(text.tokenizer().encode("red").ids(), 0, ids, TOKENS, TOKENS);
        OnnxRunner runner = new OnnxRunner();
        Map<String, OnnxTensor> inputs = Map.of("input_ids", runner.tensor(ids, 2, TOKENS));
        return OnnxRunner.floats(runner.run(
            new ComponentGraphs(ModelFolder.open(folder)).textEncoder(component, 0), inputs).get(output));
    }

    @Test
    void theDenoiserReadsThePenultimateStatesOfBothEncodersAndThePooledTextOfTheSecond() throws OrtException {
        try (LoadedModel model = read(Family.SDXL); Arena arena = Arena.ofShared();
             Device cpu = Devices.discover().open(List.of(DeviceSpec.parse("cpu:1"))).getFirst();
             TextEncoder encoder = TextEncoder.build(model.texts(), 0, cpu)) {
            List<TextEncoderGraph> texts = model.texts().graphs(0);
            Map<String, MemorySegment> encoded = encoder.encode(model.texts().tokenize(plain("b", "red")), arena);

            float[] states = encoded.get("encoder_hidden_states").toArray(ValueLayout.JAVA_FLOAT);
            float[] first = expected(Component.TEXT_ENCODER, texts.get(0), "hidden_states.2");
            float[] second = expected(Component.TEXT_ENCODER_2, texts.get(1), "hidden_states.2");
            for (int token = 0; token < 2 * TOKENS; token++) {
                assertArrayEquals(Arrays.copyOfRange(first, token * WIDTH, (token + 1) * WIDTH),
                    Arrays.copyOfRange(states, 2 * token * WIDTH, (2 * token + 1) * WIDTH), 1e-5f);
                assertArrayEquals(Arrays.copyOfRange(second, token * WIDTH, (token + 1) * WIDTH),
                    Arrays.copyOfRange(states, (2 * token + 1) * WIDTH, (2 * token + 2) * WIDTH), 1e-5f);
            }
            assertArrayEquals(expected(Component.TEXT_ENCODER_2, texts.get(1), "text_embeds"),
                encoded.get("text_embeds").toArray(ValueLayout.JAVA_FLOAT), 1e-5f);
        }
    }

    @Test
    void anEmptyNegativePromptIsZerosAsTheModelWantsAndTheSecondTokenizerPadsWithItsOwn() {
        try (LoadedModel model = read(Family.SDXL); Arena arena = Arena.ofShared();
             Device cpu = Devices.discover().open(List.of(DeviceSpec.parse("cpu:1"))).getFirst();
             TextEncoder encoder = TextEncoder.build(model.texts(), 0, cpu)) {
            encoder.encode(model.texts().tokenize(plain("", "red")), arena).forEach((name, both) -> {
                float[] numbers = both.toArray(ValueLayout.JAVA_FLOAT);
                float[] zeros = new float[numbers.length / 2];
                assertArrayEquals(zeros, Arrays.copyOf(numbers, zeros.length), name);
                assertFalse(Arrays.equals(zeros, Arrays.copyOfRange(numbers, zeros.length, numbers.length)), name);
            });
            assertEquals(0, model.texts().graphs(0).get(1).tokenizer().encode("a").ids()[TOKENS - 1]);
        }
        new RandomModel(folder).json("model_index.json",
            "{'_class_name': 'StableDiffusionXLPipeline', 'force_zeros_for_empty_prompt': false}");
        try (LoadedModel model = LoadedModel.read(ModelFolder.open(folder), Precision.FP32)) {
            assertFalse(model.texts().zeroesEmptyText());
        }
    }

    @Test
    void sizesAreToldHeightFirstAndThePicturesOwnIfNotSaid() {
        try (LoadedModel model = read(Family.SDXL)) {
            ImageRequest request = ImageRequest.of("x");
            assertArrayEquals(new double[] {24, 16, 0, 0, 24, 16}, sizes(model, request));
            assertArrayEquals(new double[] {200, 100, 7, 5, 400, 300}, sizes(model, request.withConditioning(
                Conditioning.DEFAULT.withOriginalSize(new Size(100, 200)).withCrop(5, 7)
                    .withTargetSize(new Size(300, 400)))));
        }
    }

    private static ConditionValues told(LoadedModel model, ImageRequest request) {
        return model.recipe().told(request.withUsual(model.recipe().usual()).drawing().forRecipe(false),
            request.conditioning().sizes(PICTURE.width(), PICTURE.height()), new LatentGrid.Size(2, 2)).get("time_ids");
    }

    private static double[] sizes(LoadedModel model, ImageRequest request) {
        ConditionValues numbers = told(model, request);
        assertEquals(Shape.of(6), numbers.row());
        assertArrayEquals(numbers.conditional(), numbers.unconditional());
        return numbers.conditional();
    }

    @Test
    void theRefinerIsToldAMarkForEachPromptAndWantsAPicture() {
        try (LoadedModel model = read(Family.REFINER)) {
            ConditionValues numbers = told(model, ImageRequest.of("x"));
            assertArrayEquals(new double[] {24, 16, 0, 0, 2.5}, numbers.unconditional());
            assertArrayEquals(new double[] {24, 16, 0, 0, 6}, numbers.conditional());
        }
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            assertThrows(RequestException.class, () -> spec.check(ImageRequest.of("x")));
        }
    }

    @Test
    void modelsThatAreToldNothingOfSizesRefuseThem() {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            assertThrows(RequestException.class, () -> spec.check(ImageRequest.of("x").withConditioning(
                Conditioning.DEFAULT.withCrop(0, 0))));
        }
    }
}
