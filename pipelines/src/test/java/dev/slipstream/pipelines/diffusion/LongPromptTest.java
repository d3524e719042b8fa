package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.text.PromptReading;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Long prompts from a request to a picture. */
@Timeout(120)
class LongPromptTest {
    private static final int STEPS = 3;
    private static final ImageRequest CUT =
        ImageRequest.of(LongPromptStatesTest.words(0, 100)).withSteps(STEPS).withSeed(7).withGuidance(3)
            .withScheduler("ddim");
    private static final ImageRequest WHOLE = read(CUT, new PromptReading(false, true));

    @TempDir
    private Path folder;

    private static ImageRequest read(ImageRequest request, PromptReading reading) {
        return request.withConditioning(request.conditioning().withWeights(reading.weighted())
            .withWholePrompts(reading.whole()));
    }

    private void write(ModelFamily family) {
        ModelTemplate.of(family, true).write(folder);
    }

    private DiffusionPipeline open(String plan, int devices, List<String> warnings) {
        String[] specs = new String[devices];
        Arrays.fill(specs, "cpu:1");
        return DiffusionPipeline.of(folder).devices(specs).plan(plan).warnings(warnings::add).open();
    }

    private static byte[] draw(DiffusionPipeline pipeline, ImageRequest request) {
        return pipeline.submit(request).result().join().image().rgb();
    }

    private byte[] draw(String plan, int devices, ImageRequest request) {
        try (DiffusionPipeline pipeline = open(plan, devices, new ArrayList<>())) {
            return draw(pipeline, request);
        }
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"SD15", "SDXL"})
    void everyPlanDrawsWithTheWholePromptAndTheNextRequestIsAsEver(ModelFamily family) {
        write(family);
        List<String> warnings = new ArrayList<>();
        byte[] whole;
        byte[] cut;
        try (DiffusionPipeline pipeline = open("sequential", 1, warnings)) {
            cut = draw(pipeline, CUT);
            assertEquals(1, warnings.size(), warnings.toString());
            whole = draw(pipeline, WHOLE);
            assertEquals(1, warnings.size(), "nothing is cut, so nothing is warned of");
            assertFalse(Arrays.equals(cut, whole), "the end of the prompt shows");
            assertArrayEquals(cut, draw(pipeline, CUT));
        }
        assertArrayEquals(whole, draw("asyncdiff:warmup=" + STEPS, 2, WHOLE));
        assertFalse(Arrays.equals(whole, draw("asyncdiff:stride=2,warmup=1", 2, WHOLE)), "lag shows");
        assertFalse(Arrays.equals(cut, draw("cfg-split", 2, WHOLE)));
    }

    @Test
    void theDenoiserIsFixedToAsManyTokensAsTheLongerPromptTakes() {
        write(ModelFamily.SD15);
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            ImageRequest shortOne = WHOLE.withNegative(CUT.prompt() + " " + CUT.prompt());
            assertEquals(77, tokens(spec, CUT));
            assertEquals(2 * 77, tokens(spec, WHOLE));
            assertEquals(3 * 77, tokens(spec, shortOne));
            assertEquals(2 * 77, tokens(spec, shortOne.withGuidance(1)), "the negative prompt is not read");
            assertTrue(spec.memory(WHOLE).getFirst().totalBytes() > spec.memory(CUT).getFirst().totalBytes());
            assertEquals(List.of(), spec.warnings(shortOne));
        }
    }

    private static long tokens(PipelineSpec spec, ImageRequest request) {
        return spec.denoiser(request).shape().conditions().get("encoder_hidden_states").shape().dim(1);
    }

    @Test
    void whatIsCutOfAWeightedPromptIsSaidWithoutItsBrackets() {
        write(ModelFamily.SDXL);
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            String unclosed = LongPromptStatesTest.words(0, 74) + " (red [star:1.2) sky";
            ImageRequest weighted = read(CUT.withNegative(unclosed), new PromptReading(true, false));
            List<String> warnings = spec.warnings(weighted);
            assertEquals(2, warnings.size(), warnings.toString());
            assertTrue(warnings.getLast().endsWith("fit; lost: \"star:1.2) sky\""), warnings.toString());
            assertThrows(RequestException.class, () -> spec.check(read(CUT.withNegative("(".repeat(33)),
                new PromptReading(true, false))));
            spec.check(CUT.withNegative("(".repeat(33)));
        }
    }

    @Test
    void aGraphThatTakesNoOtherTextIsRefusedWithWhatToDo() throws IOException {
        write(ModelFamily.SD15);
        Graph open = DenoiserGraph.read(ModelFolder.open(folder), ComponentFormat.CHECKPOINT).graph();
        List<ValueInfoProto> inputs = open.inputs().stream().map(LongPromptTest::withFixedTokens).toList();
        GraphFile.write(open.with(inputs, open.outputs(), open.nodes(), open.weights()),
            Files.createDirectories(folder.resolve("unet")).resolve("model.onnx"));
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            spec.check(CUT);
            spec.check(read(ImageRequest.of("a star"), new PromptReading(true, true)));
            assertEquals("the denoiser's graph was exported for texts of 77 tokens only, and these long prompts take "
                + "154; let them be cut, or take a graph that leaves the length open, or the checkpoint",
                assertThrows(GraphException.class, () -> spec.check(WHOLE)).getMessage());
        }
    }

    private static ValueInfoProto withFixedTokens(ValueInfoProto input) {
        ValueInfoProto.Builder fixed = input.toBuilder();
        if (input.getName().equals("encoder_hidden_states")) {
            fixed.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().getDimBuilder(1).setDimValue(77);
        }
        return fixed.build();
    }

    @Test
    void thePictureTellsHowItsPromptsWereReadIfNotAsUsual() {
        write(ModelFamily.SD15);
        try (DiffusionPipeline pipeline = open("sequential", 1, new ArrayList<>())) {
            ImageRequest request = ImageRequest.of("a (red:1.5) star").withSteps(1);
            String usual = pipeline.submit(request).result().join().metadata().get("parameters");
            assertFalse(usual.contains("Prompt weights") || usual.contains("Long prompts"), usual);
            String other = pipeline.submit(request.withConditioning(Conditioning.DEFAULT.withClipSkip(1)
                .withWeights(true).withWholePrompts(true))).result().join().metadata().get("parameters");
            assertTrue(other.contains(", Clip skip: 2, Prompt weights: read, Long prompts: whole, Model: "), other);
            assertTrue(other.startsWith("a (red:1.5) star\n"), other);
        }
    }
}
