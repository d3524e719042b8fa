package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures of Stable Diffusion 3.5 with layers that are skipped at some steps. */
class LayerGuidanceTest {
    private static final ImageRequest REQUEST = ImageRequest.of("a red star").withSeed(3).withSteps(6).withGuidance(4);
    private static final LayerGuidance SKIPPED = LayerGuidance.of(1).withRange(0, 0.7);

    private final OnnxRunner runner = new OnnxRunner();

    @TempDir
    private Path folder;
    private Path model;

    @BeforeEach
    void write() {
        model = folder.resolve("model");
        new TinyFamily(model).write(ModelFamily.SD35_MEDIUM);
    }

    private DiffusionPipeline.Builder pipeline(String plan, int devices) {
        String[] specs = new String[devices];
        Arrays.fill(specs, "cpu:1");
        return DiffusionPipeline.of(model).devices(specs).plan(plan);
    }

    private static byte[] draw(DiffusionPipeline.Builder builder) {
        try (DiffusionPipeline pipeline = builder.open()) {
            return pipeline.submit(REQUEST).result().join().image().rgb();
        }
    }

    private static float[] random(int seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private float[] predict(DenoiserGraph denoiser, float... scales) throws OrtException {
        Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
        int text = Math.toIntExact(denoiser.fixedSize("encoder_hidden_states", 2).getAsLong());
        int pooled = Math.toIntExact(denoiser.fixedSize("pooled_projections", 1).getAsLong());
        int channels = Math.toIntExact(denoiser.fixedSize("hidden_states", 1).getAsLong());
        inputs.put("hidden_states", runner.tensor(random(1, 2 * channels * 64), 2, channels, 8, 8));
        inputs.put("timestep", runner.tensor(new float[] {700}, 1));
        inputs.put("encoder_hidden_states", runner.tensor(random(2, 2 * 5 * text), 2, 5, text));
        inputs.put("pooled_projections", runner.tensor(random(3, 2 * pooled), 2, pooled));
        if (scales.length > 0) {
            inputs.put("skipping_scale", runner.tensor(scales, 2));
        }
        return OnnxRunner.floats(runner.run(denoiser.graph(), inputs).get("out_hidden_states"));
    }

    /** Without the gates of its streams a block adds nothing to them. */
    private Path without(int block) throws IOException {
        Path other = folder.resolve("without");
        Path transformer = Files.createDirectories(other.resolve("transformer"));
        Path own = model.resolve("transformer");
        Files.copy(own.resolve("config.json"), transformer.resolve("config.json"));
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        try (ComponentWeights weights = ComponentWeights.open(own)) {
            weights.tensors().forEach((name, tensor) -> tensors.put(name, StoredTensor.of(tensor.shape(),
                name.matches("transformer_blocks\\." + block + "\\.norm1(_context)?\\.linear\\..*")
                    ? new float[Math.toIntExact(tensor.shape().elements())] : tensor.toFloats())));
            SafetensorsWriter.write(transformer.resolve("diffusion_pytorch_model.safetensors"), tensors, Map.of());
        }
        return other;
    }

    private static DenoiserGraph read(Path folder) {
        return DenoiserGraph.read(ModelFolder.open(folder), ComponentFormat.CHECKPOINT);
    }

    @Test
    void whatTheBlockAddsIsAddedOnceMoreByTheScaleOfEachRow() throws OrtException, IOException {
        DenoiserGraph skipping = DenoiserGraph.skipping(ModelFolder.open(model), ComponentFormat.CHECKPOINT,
            new TreeSet<>(List.of(1)));
        float[] whole = predict(read(model));
        float[] partial = predict(read(without(1)));
        assertFalse(Arrays.equals(whole, partial));
        float[] expected = whole.clone();
        for (int i = whole.length / 2; i < whole.length; i++) {
            expected[i] += 0.7f * (whole[i] - partial[i]);
        }
        assertArrayEquals(expected, predict(skipping, 0, 0.7f), 1e-5f);
        assertArrayEquals(whole, predict(skipping, 0, 0));
    }

    @Test
    void everyPlanThatIsExactDrawsTheSame() {
        byte[] drawn = draw(pipeline("sequential", 1).layerGuidance(SKIPPED));
        assertFalse(Arrays.equals(draw(pipeline("sequential", 1)), drawn));
        assertFalse(Arrays.equals(draw(pipeline("sequential", 1).layerGuidance(SKIPPED.withScale(1))), drawn));
        assertArrayEquals(drawn, draw(pipeline("cfg-split", 2).layerGuidance(SKIPPED)));
        assertArrayEquals(drawn, draw(pipeline("asyncdiff:warmup=6", 2).layerGuidance(SKIPPED)));
    }

    @Test
    void whatCountsForNothingDoesNotRunAndChangesNoBit() {
        assertArrayEquals(draw(pipeline("sequential", 1)),
            draw(pipeline("sequential", 1).layerGuidance(SKIPPED.withScale(0))));
        assertEquals(List.of(), steps(SKIPPED.withScale(0)));
    }

    @Test
    void itRunsAtItsStepsAlone() {
        assertEquals(List.of(1, 2, 3, 4), steps(SKIPPED));
        assertEquals(List.of(1), steps(SKIPPED.withRange(0.01, 0.2)));
    }

    @Test
    void itRestsWhereThePlanGuidesNothing() {
        LayerGuidance all = SKIPPED.withRange(0, 1);
        assertEquals(List.of(1, 2, 3, 4, 5), steps(all));
        assertEquals(List.of(1, 2), steps("guidance:start=0,stop=0.5", all));
    }

    private List<Integer> steps(LayerGuidance layers) {
        return steps("sequential", layers);
    }

    /** At which the module runs that skips. */
    private List<Integer> steps(String plan, LayerGuidance layers) {
        try (PipelineSpec spec = pipeline(plan, 1).layerGuidance(layers).spec()) {
            Program program = spec.program(REQUEST);
            List<Integer> stages = IntStream.range(0, spec.plan(REQUEST).stages().size())
                .filter(stage -> spec.plan(REQUEST).segment(stage).name().startsWith("skipping")).boxed().toList();
            assertFalse(stages.isEmpty());
            return program.instructions().stream()
                .filter(it -> it instanceof Instruction.Launch launch && launch.work() instanceof Work.Run<?> run
                    && stages.contains(run.stage()))
                .map(it -> ((Instruction.Launch) it).step()).toList();
        }
    }

    @Test
    void whatCannotSkipLayersIsRefusedByName() {
        ModelException none = assertThrows(ModelException.class,
            () -> pipeline("sequential", 1).layerGuidance(LayerGuidance.of(1, 77)).spec());
        assertTrue(none.getMessage().contains("there are no blocks [1, 77] to be left out"), none.getMessage());
        Path other = folder.resolve("other");
        new TinyFamily(other).write(ModelFamily.FLUX_DEV);
        ModelException flux = assertThrows(ModelException.class,
            () -> DiffusionPipeline.of(other).layerGuidance(LayerGuidance.of(1)).spec());
        assertTrue(flux.getMessage().contains("layers can be skipped in transformers of Stable Diffusion 3"),
            flux.getMessage());
    }
}
