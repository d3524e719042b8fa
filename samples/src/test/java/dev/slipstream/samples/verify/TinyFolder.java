package dev.slipstream.samples.verify;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.verify.TinyDenoiser.Carried;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** A reference folder of our own: a denoiser of a few nodes, and latents that an oracle worked out. */
public final class TinyFolder {
    static final int STEPS = 6;
    static final Shape LATENTS = Shape.of(1, TinyDenoiser.CHANNELS, 3, 5);
    private static final double GUIDANCE = 2.5;
    private static final int[] LABELS = {1, 4};
    private static final String CONFIG = """
        {"_class_name": "UNet2DConditionModel", "layers_per_block": 2, "use_linear_projection": true,
         "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
         "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}
        """;
    private static final String SCHEDULER = """
        {"_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012,
         "beta_schedule": "scaled_linear", "clip_sample": false, "set_alpha_to_one": false, "steps_offset": 1,
         "prediction_type": "epsilon", "timestep_spacing": "leading"}
        """;
    private static final String CASES = """
        {"steps": 6, "guidance_scale": 2.5,
         "schedulers": {"ddim": {"timesteps": [831.0, 665.0, 499.0, 333.0, 167.0, 1.0], "init_noise_sigma": 1.0}},
         "cases": [
          {"expected": "ddim.stride1", "scheduler": "ddim", "model_n": 2, "stride": 1, "warm_up": 1,
           "time_shift": false, "stride2_form": null},
          {"expected": "ddim.shifted", "scheduler": "ddim", "model_n": 2, "stride": 1, "warm_up": 2,
           "time_shift": true, "stride2_form": null},
          {"expected": "ddim.released", "scheduler": "ddim", "model_n": 2, "stride": 2, "warm_up": 1,
           "time_shift": false, "stride2_form": "released"},
          {"expected": "ddim.paper", "scheduler": "ddim", "model_n": 2, "stride": 2, "warm_up": 3,
           "time_shift": false, "stride2_form": "paper"},
          {"expected": "ddim.paper_shifted", "scheduler": "ddim", "model_n": 2, "stride": 2, "warm_up": 1,
           "time_shift": true, "stride2_form": "paper"},
          {"expected": "ddim.even_warm_up", "scheduler": "ddim", "model_n": 2, "stride": 2, "warm_up": 2,
           "time_shift": false, "stride2_form": "paper"}]}
        """;

    private final Path path;
    private final Random random = new Random(11);
    private final float[] latents = numbers((int) LATENTS.elements());
    private final float[] states = numbers(12);
    private final List<StoredTensor> extras = new ArrayList<>();
    private final Map<String, StoredTensor> inputs = new LinkedHashMap<>();
    private boolean labelled;

    public TinyFolder(Path path) {
        this.path = path;
        inputs.put("latents", StoredTensor.of(LATENTS, latents));
        inputs.put("encoder_hidden_states", StoredTensor.of(Shape.of(TinyDenoiser.statesShape()), states));
    }

    private float[] numbers(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Channels beside the latents, in the order of calls. */
    TinyFolder withExtra(String name, int channels) {
        Shape shape = Shape.of(1, channels, LATENTS.dim(2), LATENTS.dim(3));
        StoredTensor tensor = StoredTensor.of(shape, numbers((int) shape.elements()));
        extras.add(tensor);
        inputs.put(name, tensor);
        return this;
    }

    /** Labels of an upscaler: whole numbers for the graph, stored as floats. */
    TinyFolder withLabels() {
        labelled = true;
        inputs.put("class_labels", StoredTensor.of(Shape.of(2), LABELS[0], LABELS[1]));
        return this;
    }

    public Path write() throws IOException {
        TinyDenoiser denoiser =
            new TinyDenoiser(extras.stream().mapToInt(extra -> (int) extra.shape().dim(1)).sum(), labelled);
        Files.createDirectories(path.resolve("unet"));
        Files.createDirectories(path.resolve("scheduler-ddim"));
        Files.write(path.resolve("unet/model.onnx"), denoiser.onnx());
        Files.writeString(path.resolve("unet/config.json"), CONFIG);
        Files.writeString(path.resolve("scheduler-ddim/scheduler_config.json"), SCHEDULER);
        Files.writeString(path.resolve("cases.json"), CASES);
        SafetensorsWriter.write(path.resolve("inputs.safetensors"), inputs, Map.of());
        SafetensorsWriter.write(path.resolve("expected.safetensors"), expected(schedule(denoiser)), Map.of());
        return path;
    }

    double[] start() {
        return IntStream.range(0, latents.length).mapToDouble(i -> latents[i]).toArray();
    }

    /** The guided prediction of the whole denoiser; only for folders without extra channels. */
    double[] prediction(double[] x, double timestep) {
        TinyDenoiser denoiser = new TinyDenoiser(0, labelled);
        return guided(denoiser.second(denoiser.first(x, timestep, bias(0)), timestep, bias(0)),
            denoiser.second(denoiser.first(x, timestep, bias(1)), timestep, bias(1)));
    }

    private PublishedSchedule schedule(TinyDenoiser denoiser) {
        return new PublishedSchedule(
            (x, t) -> IntStream.range(0, 2).mapToObj(row -> denoiser.first(sample(x), t, bias(row))).toList(),
            (carried, t) -> guided(
                denoiser.second((Carried) ((List<?>) carried).get(0), t, bias(0)),
                denoiser.second((Carried) ((List<?>) carried).get(1), t, bias(1))), STEPS);
    }

    private double[] sample(double[] x) {
        double[] sample = x;
        for (StoredTensor extra : extras) {
            double[] longer = Arrays.copyOf(sample, sample.length + (int) extra.shape().elements());
            float[] values = extra.toFloats();
            for (int i = 0; i < values.length; i++) {
                longer[sample.length + i] = values[i];
            }
            sample = longer;
        }
        return sample;
    }

    private double bias(int row) {
        return TinyDenoiser.bias(states, row, labelled ? LABELS[row] : 0);
    }

    private static double[] guided(double[] unconditional, double[] conditional) {
        double[] result = new double[conditional.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = unconditional[i] + GUIDANCE * (conditional[i] - unconditional[i]);
        }
        return result;
    }

    private Map<String, StoredTensor> expected(PublishedSchedule schedule) {
        double[] start = start();
        Map<String, StoredTensor> expected = new LinkedHashMap<>();
        expected.put("ddim.sequential", stored(schedule.strideOne(start, STEPS, false)));
        expected.put("ddim.stride1", stored(schedule.strideOne(start, 1, false)));
        expected.put("ddim.shifted", stored(schedule.strideOne(start, 2, true)));
        expected.put("ddim.released", stored(schedule.strideTwo(start, 1, false, true)));
        expected.put("ddim.paper", stored(schedule.strideTwo(start, 3, false, false)));
        expected.put("ddim.paper_shifted", stored(schedule.strideTwo(start, 1, true, false)));
        expected.put("ddim.even_warm_up", stored(schedule.strideTwo(start, 2, false, false)));
        return expected;
    }

    private static StoredTensor stored(List<double[]> steps) {
        float[] all = new float[(int) (STEPS * LATENTS.elements())];
        int end = 0;
        for (double[] step : steps) {
            for (double value : step) {
                all[end++] = (float) value;
            }
        }
        return StoredTensor.of(Shape.of(STEPS, 1, LATENTS.dim(1), LATENTS.dim(2), LATENTS.dim(3)), all);
    }
}
