package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Guidance rescale (Lin et al. 2023) in loops of a tiny denoiser. */
class GuidanceRescaleTest {
    private static final int FLOATS = 24;

    private List<Device> devices = List.of();

    private List<Device> open(int count) {
        devices = Devices.discover().open(Collections.nCopies(count, DeviceSpec.parse("cpu:1")));
        return devices;
    }

    @AfterEach
    void nothingIsLeftOnTheDevices() {
        devices.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        devices.reversed().forEach(Device::close);
    }

    /** The next latents are the prediction. */
    private static NoiseTable predictions() {
        return new NoiseTable("predictions", 1, IntStream.range(0, TinyDenoiser.STEPS).mapToObj(step ->
            new Row(900 - step, 1, LinearForm.PREDICTION, LinearForm.ZERO, LinearForm.LATENT)).toList());
    }

    private float[] firstPrediction(String plan, Guidance guidance) {
        return Arrays.copyOf(TinyDenoiser.run(plan, devices, predictions(), guidance), FLOATS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "cfg-split", "asyncdiff:warmup=1,cut=chain"})
    void thePredictionIsScaledByTheRatioOfTheDeviations(String plan) {
        open(2);
        float[] text = firstPrediction(plan, Guidance.of(1));
        float[] guided = firstPrediction(plan, Guidance.of(7));
        float[] rescaled = firstPrediction(plan, new Guidance(7, 0.6));
        double factor = 0.6 * deviation(text) / deviation(guided) + 0.4;
        assertTrue(factor < 0.9, "guidance spreads: " + factor);
        for (int i = 0; i < FLOATS; i++) {
            assertEquals(factor * guided[i], rescaled[i], 1e-6, "element " + i);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"sequential | 3", "cfg-split | 2", "asyncdiff:warmup=6,cut=shell | 2",
        "asyncdiff:warmup=1,tail=5,cut=shell,stride=2,form=paper | 2"})
    void slipZeroIsTheUnsplitModelBitForBitWithAndWithoutRescale(String plan, int count) {
        List<Device> all = open(count);
        for (Guidance guidance : List.of(Guidance.of(7), new Guidance(7, 0.7))) {
            assertArrayEquals(
                TinyDenoiser.run("sequential", all.subList(0, 1), TinyDenoiser.noise(), guidance),
                TinyDenoiser.run(plan, all, TinyDenoiser.noise(), guidance));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"asyncdiff:warmup=1,cut=chain | 2",
        "asyncdiff:warmup=1,stride=2,cut=chain | 2", "asyncdiff:warmup=1,stride=2,form=paper,n=2,cut=chain | 3"})
    void itWorksWithValuesOfThePreviousStep(String plan, int count) {
        List<Device> all = open(count);
        float[] latents = TinyDenoiser.run(plan, all, predictions(), new Guidance(7, 1));
        float[] plain = TinyDenoiser.run(plan, all, predictions(), Guidance.of(7));
        for (int step = 0; step < TinyDenoiser.STEPS; step++) {
            double spread = deviation(Arrays.copyOfRange(latents, step * FLOATS, (step + 1) * FLOATS));
            assertTrue(spread < 0.9 * deviation(Arrays.copyOfRange(plain, step * FLOATS, (step + 1) * FLOATS)),
                "step " + step);
        }
    }

    @Test
    void aPredictionThatServesTwoStepsIsRescaledOnce() {
        assertEquals(TinyDenoiser.STEPS, rescales("asyncdiff:warmup=1,cut=chain", new Guidance(7, 0.7)));
        // With stride 2 steps 2 and 4 have the predictions of 1 and 3.
        assertEquals(TinyDenoiser.STEPS - 2, rescales("asyncdiff:warmup=1,stride=2,cut=chain", new Guidance(7, 0.7)));
        assertEquals(0, rescales("cfg-split", Guidance.of(7)));
    }

    private static long rescales(String plan, Guidance guidance) {
        Program program = TinyDenoiser.partitioned(plan, 2)
            .program(TinyDenoiser.noise(), guidance, KeptLatents.LAST, Estimates.NONE, UnrollOptions.PLAIN);
        return program.works().filter(Work.Rescale.class::isInstance).count();
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.01, 1.01, Double.NaN})
    void onlyPartsOfTheSpreadCanBeTakenBack(double rescale) {
        assertThrows(IllegalArgumentException.class, () -> new Guidance(7, rescale));
    }

    private static double deviation(float[] values) {
        double mean = IntStream.range(0, values.length).mapToDouble(i -> values[i]).average().orElseThrow();
        return Math.sqrt(IntStream.range(0, values.length).mapToDouble(i -> Math.pow(values[i] - mean, 2)).sum()
            / (values.length - 1));
    }
}
