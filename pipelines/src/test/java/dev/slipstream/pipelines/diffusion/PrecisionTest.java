package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Edge;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The sample model in other precisions. */
@Timeout(120)
@Tag("slow")
class PrecisionTest {
    private static final Path MODEL = Path.of("..", "samples", "model");
    private static final ImageRequest STAR =
        ImageRequest.of("a large red star on a blue background").withSteps(12).withSeed(7);

    private static DiffusionPipeline.Builder pipeline(String plan, Precision precision) {
        return DiffusionPipeline.of(MODEL).devices("cpu:1", "cpu:1").plan(plan).precision(precision.type());
    }

    private static byte[] draw(String plan, Precision precision) {
        try (DiffusionPipeline pipeline = pipeline(plan, precision).open()) {
            return pipeline.submit(STAR).result().join().image().rgb();
        }
    }

    /** Peak signal-to-noise ratio of 8-bit pictures in dB. */
    private static double psnr(byte[] expected, byte[] actual) {
        double squares = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = (expected[i] & 0xff) - (actual[i] & 0xff);
            squares += difference * difference;
        }
        return 10 * Math.log10(255 * 255 * expected.length / squares);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "asyncdiff:warmup=2"})
    void halfPrecisionDrawsThePictureOfSinglePrecision(String plan) {
        double likeness = psnr(draw(plan, Precision.FP32), draw(plan, Precision.FP16));
        assertTrue(likeness > 40, plan + ": " + likeness + " dB");
    }

    @ParameterizedTest
    @ValueSource(strings = {"contiguous", "shell"})
    void edgesHalveAndNothingElseOfThePlanChanges(String cut) {
        String plan = "asyncdiff:warmup=2,cut=" + cut;
        try (PipelineSpec wide = pipeline(plan, Precision.FP32).spec();
             PipelineSpec narrow = pipeline(plan, Precision.BF16).spec()) {
            PartitionedDenoiser single = wide.denoiser(STAR);
            PartitionedDenoiser half = narrow.denoiser(STAR);
            assertEquals(single.plan(), half.plan());
            for (Edge edge : half.plan().edges()) {
                TensorType type = half.types(edge.from()).get(edge.tensor());
                assertEquals(DataType.BFLOAT16, type.type(), edge.tensor());
                assertEquals(single.types(edge.from()).get(edge.tensor()).bytes(), 2 * type.bytes());
            }
            assertEquals(DataType.FLOAT32, half.types(0).get("sample").type());
        }
    }

    @Test
    void aDeviceThatCannotComputeInThePrecisionIsNamedBeforeAnythingIsBuilt() {
        try (DiffusionPipeline pipeline = pipeline("sequential", Precision.BF16).open()) {
            EngineBuildException refused = assertInstanceOf(EngineBuildException.class, assertThrows(
                CompletionException.class, () -> pipeline.submit(STAR).result().join()).getCause());
            assertEquals(pipeline.devices().getFirst().name() + ": engine unet cannot be built: the device does "
                + "not compute in bf16; take fp32 or fp16", refused.getMessage());
        }
    }

    @Test
    void thePictureTellsItsPrecisionWhereItIsNotSingle() {
        try (DiffusionPipeline pipeline = pipeline("sequential", Precision.FP16).open()) {
            GeneratedImage drawn = pipeline.submit(STAR.withSteps(1)).result().join();
            assertTrue(drawn.metadata().get("parameters").contains(", Precision: fp16,"), drawn.metadata()::toString);
        }
    }
}
