package dev.slipstream.samples.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.options.ModelPath;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelPullCommandTest {
    @TempDir
    private Path folder;
    private StandInHub hub;

    @BeforeEach
    void openHub() throws IOException {
        hub = new StandInHub();
        hub.put("model_index.json", "{\"_class_name\": \"StableDiffusionPipeline\", "
            + "\"scheduler\": [\"diffusers\", \"PNDMScheduler\"], \"unet\": [\"diffusers\", \"UNet2DConditionModel\"], "
            + "\"text_encoder\": [\"transformers\", \"CLIPTextModel\"], "
            + "\"tokenizer\": [\"transformers\", \"CLIPTokenizer\"], \"vae\": [\"diffusers\", \"AutoencoderKL\"], "
            + "\"safety_checker\": [\"stable_diffusion\", \"X\"], \"image_encoder\": [null, null]}");
        for (String small : List.of("README.md", "scheduler/scheduler_config.json", "tokenizer/vocab.json",
            "tokenizer/merges.txt", "tokenizer/tokenizer_config.json", "unet/config.json", "text_encoder/config.json",
            "vae/config.json", "safety_checker/config.json", "vae/diffusion_pytorch_model.fp16.safetensors",
            "unet/diffusion_pytorch_model.safetensors.index.json", "v1.yaml")) {
            hub.put(small, "{\"of\": \"" + small + "\"}");
        }
        for (String large : List.of("unet/diffusion_pytorch_model-00001-of-00002.safetensors",
            "unet/diffusion_pytorch_model-00002-of-00002.safetensors", "unet/diffusion_pytorch_model.bin",
            "unet/diffusion_pytorch_model.fp16.safetensors", "text_encoder/model.safetensors",
            "text_encoder/pytorch_model.bin", "vae/diffusion_pytorch_model.safetensors", "v1.safetensors",
            "safety_checker/model.safetensors")) {
            byte[] bytes = new byte[100_000];
            new Random(large.hashCode()).nextBytes(bytes);
            hub.files.put(large, bytes);
        }
    }

    @AfterEach
    void closeHub() {
        hub.close();
    }

    private Map<String, String> environment(String... more) {
        Map<String, String> all = new HashMap<>(Map.of("HF_ENDPOINT", hub.endpoint(), "HF_HOME", folder.toString()));
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }

    private CommandRun pull(Map<String, String> environment, String... options) {
        List<String> args = new ArrayList<>(List.of("model", "pull", "org/name"));
        args.addAll(List.of(options));
        return CommandRun.of("", environment, args.toArray(String[]::new));
    }

    private Path model() {
        return folder.resolve("hub").resolve("models--org--name");
    }

    private Path snapshot() {
        return model().resolve("snapshots").resolve(StandInHub.COMMIT);
    }

    private List<String> there() throws IOException {
        try (Stream<Path> all = Files.walk(snapshot())) {
            return all.filter(Files::isRegularFile).map(file -> snapshot().relativize(file).toString().replace('\\',
                '/')).sorted().toList();
        }
    }

    @Test
    void whatAPipelineNeedsIsFetchedAndNoMore() throws IOException {
        CommandRun run = pull(environment(), "--json");
        assertEquals(ExitCode.OK, run.code(), run.err());
        assertEquals(Stream.of("model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
            "text_encoder/model.safetensors", "tokenizer/merges.txt", "tokenizer/tokenizer_config.json",
            "tokenizer/vocab.json", "unet/config.json", "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
            "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
            "unet/diffusion_pytorch_model.safetensors.index.json", "vae/config.json",
            "vae/diffusion_pytorch_model.safetensors").sorted().toList(), there());
        for (String file : there()) {
            assertArrayEquals(hub.files.get(file), Files.readAllBytes(snapshot().resolve(file)), file);
        }
        JsonObject json = run.json();
        assertEquals("openrail++", json.get("licence").getAsString());
        assertEquals(snapshot().toString(), json.get("folder").getAsString());
        assertEquals(List.of(), SchemaCheck.problems("model pull", run.out()));
        assertEquals(StandInHub.COMMIT, Files.readString(model().resolve("refs").resolve("main")));
        assertEquals(snapshot(), ModelPath.of("org/name", environment()));

        hub.asked.clear();
        assertTrue(pull(environment()).out().contains("all there already"));
        assertEquals(List.of(), hub.asked);
    }

    @Test
    void aVariantIsTakenWhereThereIsOne() throws IOException {
        assertEquals(ExitCode.OK, pull(environment(), "--variant", "fp16").code());
        assertTrue(there().contains("unet/diffusion_pytorch_model.fp16.safetensors"));
        assertFalse(there().contains("unet/diffusion_pytorch_model.safetensors.index.json"));
        assertTrue(there().contains("text_encoder/model.safetensors"));
        assertTrue(there().contains("vae/diffusion_pytorch_model.fp16.safetensors"));
    }

    @Test
    void aSingleFileIsFetchedByItsName() throws IOException {
        assertEquals(ExitCode.OK, pull(environment(), "--file", "v1.safetensors").code());
        assertEquals(List.of("v1.safetensors"), there());
    }

    @Test
    void whatWasCutShortIsGoneOnWith() {
        hub.cutAfter = 30_000;
        assertEquals(ExitCode.OK, pull(environment(), "--file", "v1.safetensors").code());
        assertEquals(2, hub.asked.size(), hub.asked.toString());
        assertTrue(hub.asked.get(1).matches("v1.safetensors bytes=[1-9]\\d*-"), hub.asked.toString());
    }

    @Test
    void aDamagedFileIsRefusedAndFetchedAnewTheNextTime() throws IOException {
        hub.damaged = "v1.safetensors";
        CommandRun run = pull(environment(), "--file", "v1.safetensors");
        assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
        assertTrue(run.err().contains("is not what its checksum says"), run.err());
        try (Stream<Path> blobs = Files.list(model().resolve("blobs"))) {
            assertEquals("", blobs.map(Path::toString).filter(name -> !name.endsWith(".lock"))
                .collect(Collectors.joining()));
        }
        hub.damaged = "";
        assertEquals(ExitCode.OK, pull(environment(), "--file", "v1.safetensors").code());
    }

    @Test
    void theTokenGoesToTheHubAndNowhereElse() {
        hub.token = "secret";
        CommandRun refused = pull(environment(), "--file", "v1.safetensors");
        assertEquals(ExitCode.WRONG_USAGE, refused.code());
        assertTrue(refused.err().contains("HF_TOKEN"), refused.err());
        assertEquals(ExitCode.OK, pull(environment("HF_TOKEN", "secret"), "--file", "v1.safetensors").code());
        assertEquals(List.of("v1.safetensors"), hub.asked);
    }

    @Test
    void whatCannotBeFetchedIsSaidInOneLine() {
        for (CommandRun run : List.of(pull(environment("HF_HUB_OFFLINE", "1")),
            pull(environment(), "--file", "nowhere.safetensors"), pull(environment("HF_ENDPOINT", "nothing")),
            CommandRun.of("", environment(), "model", "pull", "org/other"),
            CommandRun.of("", environment(), "model", "pull", "no name"))) {
            assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
            assertEquals(1, run.complaints().size(), run.err());
        }
    }

    @Test
    void hostileNamesAreNotThere() throws IOException {
        hub.put("../outside.json", "x");
        hub.put("tokenizer/../../outside.json", "x");
        for (String name : List.of("../outside.json", "tokenizer/../../outside.json")) {
            assertEquals(ExitCode.WRONG_USAGE, pull(environment(), "--file", name).code());
        }
        assertFalse(Files.exists(folder.resolve("hub").resolve("outside.json")));
    }

    @Test
    void aModelThatWasNotFetchedIsNamedWithTheCommandThatFetchesIt() {
        CommandRun run = CommandRun.of("", environment(), "model", "show", "org/name");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("slipstream model pull org/name"), run.err());
    }
}
