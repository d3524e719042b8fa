package dev.slipstream.pipelines.model.original;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.init.ModelFamily.FamilySettings;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class KnownModelsTest {
    private static final Set<String> NO_WEIGHTS = Set.of("scheduler", "low_res_scheduler", "tokenizer", "tokenizer_2",
        "tokenizer_3");

    static List<String> lines() throws IOException {
        try (InputStream in = SingleFile.class.getResourceAsStream("known.models")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#")).toList();
        }
    }

    /** What the configurations ask for has the shapes by which the model is recognised. */
    @ParameterizedTest
    @MethodSource("lines")
    void configurationsHaveTheShapesOfTheirLine(String line) {
        String[] words = line.split("\\s+");
        FamilySettings settings = FamilySettings.read(words[0]);
        Map<String, Map<String, Shape>> weights = new HashMap<>();
        settings.folders().forEach((folder, config) -> {
            if (!NO_WEIGHTS.contains(folder)) {
                weights.put(folder, weights(folder, config));
            }
        });
        for (int i = 1; i < words.length; i += 3) {
            assertEquals(Shape.of(Arrays.stream(words[i + 2].split(",")).mapToLong(Long::parseLong).toArray()),
                weights.get(words[i]).get(words[i + 1]), words[0] + " " + words[i + 1]);
        }
        settings.index().entrySet().forEach(part -> assertTrue(!part.getValue().isJsonArray()
            || part.getValue().getAsJsonArray().get(1).isJsonNull() || settings.folders().containsKey(part.getKey())
            || part.getKey().startsWith("tokenizer"), part.getKey()));
    }

    private static Map<String, Shape> weights(String folder, JsonObject config) {
        ConfigFile file = new ConfigFile(Path.of(folder, "config.json"), config);
        return ComponentKinds.of(file).weights(file);
    }

    /** Every line is told from all that come before it. */
    @ParameterizedTest
    @MethodSource("lines")
    void noEarlierLineTakesIt(String line) throws IOException {
        String id = line.split("\\s+")[0];
        Map<String, Shape> shapes = new HashMap<>();
        FamilySettings.read(id).folders().forEach((folder, config) -> {
            if (!NO_WEIGHTS.contains(folder)) {
                weights(folder, config).forEach((name, shape) -> shapes.put(folder + " " + name, shape));
            }
        });
        String first = lines().stream().filter(other -> {
            String[] words = other.split("\\s+");
            boolean all = true;
            for (int i = 1; i < words.length; i += 3) {
                all &= Shape.of(Arrays.stream(words[i + 2].split(",")).mapToLong(Long::parseLong).toArray())
                    .equals(shapes.get(words[i] + " " + words[i + 1]));
            }
            return all;
        }).findFirst().orElseThrow().split("\\s+")[0];
        assertEquals(id, first);
    }
}
