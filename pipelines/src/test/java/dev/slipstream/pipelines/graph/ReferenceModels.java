package dev.slipstream.pipelines.graph;


import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.ReferenceFiles;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/** The tiny denoisers of the reference cases, which not every checkout has. */
public final class ReferenceModels {
    private ReferenceModels() {
    }

    /** A folder of the reference cases, which lie beside the repository; the test is skipped where they do not. */
    public static Path folder(String name) {
        return ReferenceFiles.orSkip("reference", name, "unet");
    }

    /** The folder of a single component; the test is skipped where it is not. */
    public static Path component(String name) {
        return ReferenceFiles.orSkip("reference-components", name);
    }

    public static Graph graph(String name) {
        return GraphFile.read(folder(name).resolve("model.onnx"));
    }

    public static Map<String, OnnxTensor> inputs(String name, OnnxRunner runner) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        Random random = new Random(7);
        inputs.put("sample", normal(runner, random, 2, 4, 16, 16));
        inputs.put("timestep", runner.tensor(new long[] {481}));
        inputs.put("encoder_hidden_states", normal(runner, random, 2, 7, 32));
        if (name.equals("sdxl")) {
            inputs.put("text_embeds", normal(runner, random, 2, 16));
            inputs.put("time_ids", normal(runner, random, 2, 6));
        }
        return inputs;
    }

    private static OnnxTensor normal(OnnxRunner runner, Random random, int... shape) throws OrtException {
        int elements = 1;
        long[] dims = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            dims[i] = shape[i];
            elements *= shape[i];
        }
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return runner.tensor(values, dims);
    }
}
