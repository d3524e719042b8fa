package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A folder with a tiny model of a family, and what it draws. */
record TinyFamily(Path folder) {
    void write(ModelFamily family) {
        ModelTemplate.of(family, true).write(folder);
    }

    /** Changes a file, which has the text. */
    void replace(String file, String text, String other) throws IOException {
        String before = Files.readString(folder.resolve(file));
        assertTrue(before.contains(text), before);
        Files.writeString(folder.resolve(file), before.replace(text, other));
    }

    DiffusionPipeline open(String plan, int devices) {
        String[] specs = new String[devices];
        Arrays.fill(specs, "cpu:1");
        return DiffusionPipeline.of(folder).devices(specs).plan(plan).open();
    }

    PipelineSpec spec() {
        return DiffusionPipeline.of(folder).devices("cpu:1").plan("sequential").spec();
    }

    byte[] draw(String plan, int devices, ImageRequest request) {
        try (DiffusionPipeline pipeline = open(plan, devices)) {
            return pipeline.submit(request).result().join().image().rgb();
        }
    }

    /** The pixels of each picture, as text. */
    List<String> drawAll(List<ImageRequest> requests) {
        try (DiffusionPipeline pipeline = open("sequential", 1)) {
            return requests.stream().map(request ->
                Arrays.toString(pipeline.submit(request).result().join().image().rgb())).toList();
        }
    }

    void assertRefused(ImageRequest request, String words) {
        try (PipelineSpec spec = spec()) {
            RequestException refused = assertThrows(RequestException.class, () -> spec.check(request));
            assertTrue(refused.getMessage().contains(words), refused.getMessage());
        }
    }
}
