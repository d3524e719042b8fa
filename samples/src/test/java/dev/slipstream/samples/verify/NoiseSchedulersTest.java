package dev.slipstream.samples.verify;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.samples.reference.ReferenceFolder;
import dev.slipstream.samples.reference.Tolerance;
import dev.slipstream.samples.verify.VerifyCommand.CaseResult;
import dev.slipstream.samples.verify.VerifyCommand.CaseRunner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a program does with a noise table on devices is what the table's formulas say, step by step on plain arrays. */
class NoiseSchedulersTest {
    @TempDir
    private Path path;

    @ParameterizedTest
    @ValueSource(strings = {"ddim", "euler", "dpm++2m", "dpm++2m-karras", "lms", "pndm", "heun", "dpm2", "unipc",
        "deis", "dpm++3s"})
    void theProgramFollowsTheTable(String method) throws IOException {
        TinyFolder tiny = new TinyFolder(path);
        try (ReferenceFolder folder = ReferenceFolder.open(tiny.write(), Optional.empty(), Precision.FP32);
            CaseRunner runner = CaseRunner.open(folder, DeviceSpec.parse("cpu:1"), 2)) {
            NoiseTable table = NoiseScheduler
                .read(path.resolve("scheduler-ddim/scheduler_config.json")).withMethod(method).table(8);
            List<float[]> expected = walk(tiny, table);
            for (String plan : List.of("sequential", "cfg-split")) {
                List<float[]> actual = runner.latents(Strategy.parse(plan), 2, table);
                CaseResult result = CaseResult.compare(method + " " + plan, expected, actual,
                    Tolerance.USUAL);
                assertTrue(result.passed(), result.toString());
            }
        }
    }

    private static List<float[]> walk(TinyFolder tiny, NoiseTable table) {
        List<float[]> latents = new ArrayList<>();
        List<double[]> remembered = new ArrayList<>();
        double[] x = tiny.start();
        for (int i = 0; i < x.length; i++) {
            x[i] *= table.initialScale();
        }
        for (int step = 0; step < table.steps(); step++) {
            NoiseTable.Row row = table.rows().get(step);
            double[] input = x.clone();
            for (int i = 0; i < input.length; i++) {
                input[i] *= row.inputScale();
            }
            double[] prediction = tiny.prediction(input, row.timestep());
            double[] next = new double[x.length];
            double[] history = new double[x.length];
            float[] rounded = new float[x.length];
            for (int i = 0; i < x.length; i++) {
                next[i] = row.next().latent() * x[i] + row.next().prediction() * prediction[i];
                for (int back = 0; back < row.next().past().size(); back++) {
                    double factor = row.next().past().get(back);
                    next[i] += factor == 0 ? 0 : factor * remembered.get(step - 1 - back)[i];
                }
                history[i] = row.history().latent() * x[i] + row.history().prediction() * prediction[i];
                rounded[i] = (float) next[i];
            }
            remembered.add(history);
            latents.add(rounded);
            x = next;
        }
        return latents;
    }
}
