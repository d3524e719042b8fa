package dev.slipstream.pipelines.model.embedding;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.model.clip.ClipTextConfig;
import dev.slipstream.pipelines.model.clip.ClipTextModel;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ids and states of prompts with learned words, as diffusers and transformers make them. */
class EmbeddingReferenceTest {
    private final OnnxRunner runner = new OnnxRunner();

    @ParameterizedTest
    @CsvSource({"ti_sd15, sd15, TEXT_ENCODER, tokenizer", "ti_sdxl, sdxl, TEXT_ENCODER, tokenizer",
        "ti_sdxl, sdxl, TEXT_ENCODER_2, tokenizer_2"})
    void wordsBecomeIdsAndTheirVectors(String name, String base, Component component, String tokenizerName)
        throws IOException, OrtException {
        Path home = ReferenceFiles.orSkip("reference-files", name);
        JsonObject cases = JsonParser.parseString(Files.readString(home.resolve("cases.json"))).getAsJsonObject();
        Embeddings embeddings = Embeddings.NONE;
        for (JsonElement file : cases.getAsJsonArray("files")) {
            JsonElement token = file.getAsJsonObject().get("token");
            embeddings = embeddings.and(Embedding.read(home.resolve(file.getAsJsonObject().get("file").getAsString()),
                token.isJsonNull() ? Optional.empty() : Optional.of(token.getAsString())));
        }
        try (ModelFolder plain = ModelFolder.open(ReferenceFiles.orSkip("reference-files", base, "diffusers"));
            SafetensorsFile expected = SafetensorsFile.open(home.resolve("expected.safetensors"))) {
            ModelFolder model = embeddings.addedTo(plain);
            ClipTextConfig config = ClipTextConfig.read(model.requireConfig(component));
            Tokenizer tokenizer = Tokenizer.open(model.path().resolve(tokenizerName), OptionalInt.of(77))
                .withWords(model.words(component), config.vocabulary());
            Graph graph = ClipTextModel.write(model.requireConfig(component), model.checkpoint(component)).graph();
            String encoder = component.name().toLowerCase(Locale.ROOT);
            List<JsonElement> prompts = cases.getAsJsonObject("prompts").getAsJsonArray(encoder).asList();
            assertTrue(!prompts.isEmpty());
            for (int i = 0; i < prompts.size(); i++) {
                JsonObject prompt = prompts.get(i).getAsJsonObject();
                long[] ids = prompt.getAsJsonArray("input_ids").asList().stream().mapToLong(JsonElement::getAsLong)
                    .toArray();
                // Prompts that show what diffusers happens to do are read by our own rule.
                if (!prompt.has("quirk")) {
                    assertArrayEquals(ids, tokenizer.encode(prompt.get("prompt").getAsString()).ids(),
                        prompt.toString());
                }
                Map<String, OnnxTensor> states = runner.run(graph, Map.of("input_ids", runner.tensor(ids, 1, 77)));
                String key = encoder + "." + i + ".";
                assertClose(expected, key + "last_hidden_state", states.get(ClipTextModel.LAST_HIDDEN_STATE));
                assertClose(expected, key + "penultimate",
                    states.get(ClipTextModel.hiddenState(config.layers() - 1)));
                assertEquals(expected.tensors().containsKey(key + "text_embeds"),
                    states.containsKey(ClipTextModel.TEXT_EMBEDS));
                if (states.containsKey(ClipTextModel.TEXT_EMBEDS)) {
                    assertClose(expected, key + "text_embeds", states.get(ClipTextModel.TEXT_EMBEDS));
                }
            }
        }
    }

    private static void assertClose(SafetensorsFile expected, String name, OnnxTensor actual) {
        assertArrayEquals(expected.tensor(name).toFloats(), OnnxRunner.floats(actual), 1e-4f, name);
    }
}
