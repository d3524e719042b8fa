package dev.slipstream.pipelines.model.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ComponentWeightsTest {
    private static final String INDEX = "diffusion_pytorch_model.safetensors.index.json";

    @TempDir
    private Path top;

    private Path folder() throws IOException {
        return Files.createDirectories(top.resolve("unet"));
    }

    /** Writes tensors of one element each, whose value is their place in the list. */
    private Path write(Path file, String... names) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (String name : names) {
            tensors.put(name, StoredTensor.of(Shape.of(1), tensors.size()));
        }
        SafetensorsWriter.write(file, tensors, Map.of());
        return file;
    }

    private void index(String... tensorsAndShards) throws IOException {
        StringBuilder map = new StringBuilder();
        for (int i = 0; i < tensorsAndShards.length; i += 2) {
            map.append(i == 0 ? "" : ", ")
                .append("\"%s\": \"%s\"".formatted(tensorsAndShards[i], tensorsAndShards[i + 1]));
        }
        Files.writeString(folder().resolve(INDEX), "{\"metadata\": {\"total_size\": 12}, \"weight_map\": {" + map
            + "}}");
    }

    private void assertRefused(String... expected) {
        String message = assertThrows(ModelException.class, () -> ComponentWeights.open(folder())).getMessage();
        for (String part : expected) {
            assertTrue(message.contains(part), message);
        }
    }

    @Test
    void findsTensorsAcrossShards() throws IOException {
        Path first = write(folder().resolve("part-1.safetensors"), "a", "b");
        Path second = write(folder().resolve("part-2.safetensors"), "c", "d");
        index("a", "part-1.safetensors", "d", "part-2.safetensors", "b", "part-1.safetensors");

        try (ComponentWeights weights = ComponentWeights.open(folder())) {
            assertEquals(List.of("a", "b", "c", "d"), List.copyOf(weights.tensors().keySet()));
            assertArrayEquals(new float[] {1}, weights.tensor("d").toFloats());
            assertEquals(second.toAbsolutePath(), weights.file("d"));
            assertEquals(List.of(first.toAbsolutePath(), second.toAbsolutePath()), weights.files());
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(second)).order(ByteOrder.LITTLE_ENDIAN);
            assertEquals(1f, bytes.getFloat((int) weights.offset("d")));
            assertTrue(assertThrows(ModelException.class, () -> weights.tensor("x")).getMessage()
                .contains("part-2.safetensors] have no tensor \"x\" among their 4"));
        }
    }

    @Test
    void linksThatLeadNowhereAreNamed() throws IOException {
        Files.createSymbolicLink(folder().resolve("part.safetensors"), Path.of("gone"));
        index("a", "part.safetensors");
        assertRefused("part.safetensors is a link to gone, which is missing");
        Files.createSymbolicLink(folder().resolve("diffusion_pytorch_model.safetensors"), Path.of("away"));
        assertRefused("diffusion_pytorch_model.safetensors is a link to away, which is missing");
    }

    @Test
    void tensorsCannotBeReadAfterClosing() throws IOException {
        write(folder().resolve("model.safetensors"), "a");
        ComponentWeights weights = ComponentWeights.open(folder());
        StoredTensor tensor = weights.tensor("a");
        weights.close();
        weights.close();
        assertThrows(IllegalStateException.class, tensor::toFloats);
    }

    @Test
    void aSingleFileGoesBeforeAnIndexAndAVariantIsTakenWhenAskedFor() throws IOException {
        index("a", "missing.safetensors");
        Path plain = write(folder().resolve("diffusion_pytorch_model.safetensors"), "a");
        Path half = write(folder().resolve("diffusion_pytorch_model.fp16.safetensors"), "a");
        try (ComponentWeights one = ComponentWeights.open(folder());
            ComponentWeights other = ComponentWeights.open(folder(), "fp16")) {
            assertEquals(List.of(plain), one.files());
            assertEquals(List.of(half), other.files());
        }
        String message = assertThrows(ModelException.class, () -> ComponentWeights.open(folder(), "bf16")).getMessage();
        assertTrue(message.contains("no weights of variant bf16") && message.contains("[fp16]"), message);
    }

    @Test
    void theOnlyVariantIsTakenWhereThereAreNoPlainWeights() throws IOException {
        Path half = write(folder().resolve("model.fp16.safetensors"), "a");
        assertTrue(ComponentWeights.isIn(folder()));
        try (ComponentWeights weights = ComponentWeights.open(folder())) {
            assertEquals(List.of(half), weights.files());
        }
        write(folder().resolve("model.ema.safetensors"), "a");
        assertRefused("has no plain weights, but the variants [ema, fp16]; leave one of them there");
    }

    @Test
    void aVariantMayBeInShardsToo() throws IOException {
        write(folder().resolve("part.safetensors"), "a");
        index("a", "part.safetensors");
        Files.move(folder().resolve(INDEX), folder().resolve("model.safetensors.index.fp16.json"));
        try (ComponentWeights weights = ComponentWeights.open(folder(), "fp16")) {
            assertEquals(1, weights.tensors().size());
        }
    }

    /** As diffusers and transformers name them now, and as older versions of diffusers did. */
    @ParameterizedTest
    @CsvSource({"model, .fp16-00001-of-00002, .fp16-00002-of-00002",
        "diffusion_pytorch_model, .fp16-00001-of-00002, .fp16-00002-of-00002",
        "diffusion_pytorch_model, -00001-of-00002.fp16, -00002-of-00002.fp16"})
    void theOnlyVariantIsTakenInShards(String base, String firstEnd, String secondEnd) throws IOException {
        String one = base + firstEnd;
        String two = base + secondEnd;
        Path first = write(folder().resolve(one + ".safetensors"), "a");
        Path second = write(folder().resolve(two + ".safetensors"), "b");
        assertTrue(ComponentWeights.isIn(folder()));
        assertRefused("unet has weights in shards (" + one + ".safetensors and 1 more), but not the index",
            base + ".safetensors.index.fp16.json; download that, too");
        index("a", one + ".safetensors", "b", two + ".safetensors");
        Files.move(folder().resolve(INDEX), folder().resolve(base + ".safetensors.index.fp16.json"));
        try (ComponentWeights taken = ComponentWeights.open(folder());
            ComponentWeights asked = ComponentWeights.open(folder(), "fp16")) {
            assertEquals(List.of(first, second), taken.files());
            assertEquals(List.of(first, second), asked.files());
        }
        Files.delete(second);
        assertRefused(two + ".safetensors is missing, which", "index.fp16.json names; download it again");
    }

    @Test
    void plainShardsWithoutTheirIndexAreTold() throws IOException {
        write(folder().resolve("model-00001-of-00001.safetensors"), "a");
        assertRefused("has weights in shards (model-00001-of-00001.safetensors), but not the index that names them, "
            + "model.safetensors.index.json");
    }

    @Test
    void ofAVariantInOneFileAndInShardsTheFileIsTaken() throws IOException {
        Path whole = write(folder().resolve("model.fp16.safetensors"), "a");
        write(folder().resolve("model.fp16-00001-of-00001.safetensors"), "a");
        index("a", "model.fp16-00001-of-00001.safetensors");
        Files.move(folder().resolve(INDEX), folder().resolve("model.safetensors.index.fp16.json"));
        try (ComponentWeights weights = ComponentWeights.open(folder())) {
            assertEquals(List.of(whole), weights.files());
        }
    }

    @Test
    void shardsOfTwoVariantsAreTwoVariants() throws IOException {
        write(folder().resolve("model.fp16-00001-of-00001.safetensors"), "a");
        write(folder().resolve("model.ema.safetensors"), "a");
        assertRefused("has no plain weights, but the variants [ema, fp16]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"diffusion_pytorch_model.bin", "model.ckpt", "pytorch_model.bin"})
    void picklesAreRefusedByName(String name) throws IOException {
        Files.writeString(folder().resolve(name), "anything");
        assertRefused(name + " is a pickle", "ask for the same weights as .safetensors");
        assertFalse(ComponentWeights.isIn(folder()));
    }

    @Test
    void saysWhatAnEmptyFolderLacks() throws IOException {
        folder();
        assertRefused("unet has no weights: neither diffusion_pytorch_model.safetensors nor model.safetensors");
        assertFalse(ComponentWeights.isIn(top.resolve("nowhere")));
        assertThrows(ModelException.class, () -> ComponentWeights.open(top.resolve("nowhere")));
    }

    @Test
    void namesTheTensorOrFileThatIsMissing() throws IOException {
        write(folder().resolve("part.safetensors"), "a");
        index("a", "part.safetensors", "b", "part.safetensors");
        assertRefused("part.safetensors has no tensor b, which", INDEX);
        index("a", "part.safetensors", "b", "other.safetensors");
        assertRefused("other.safetensors is missing", INDEX);
    }

    @Test
    void namesTheFilesThatHaveTheSameTensor() throws IOException {
        write(folder().resolve("part-1.safetensors"), "a", "b");
        write(folder().resolve("part-2.safetensors"), "b");
        index("a", "part-1.safetensors", "b", "part-2.safetensors");
        assertRefused("tensor b is in both", "part-1.safetensors", "part-2.safetensors");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../outside.safetensors", "x/../../outside.safetensors", "/outside.safetensors", "", ".",
        "..", "../unet", "/"})
    void filesOutsideTheFolderAreNotOpened(String shard) throws IOException {
        write(top.resolve("outside.safetensors"), "a");
        index("a", shard.startsWith("/") ? top + shard : shard);
        assertRefused(INDEX, "which is not inside its folder");
    }

    @Test
    void linksOutOfTheFolderAreRefusedExceptInTheHubsCache() throws IOException {
        Path outside = write(top.resolve("outside.safetensors"), "a");
        Files.createSymbolicLink(folder().resolve("part.safetensors"), outside);
        index("a", "part.safetensors");
        assertRefused("part.safetensors", "is a link out of the folder", outside.toRealPath().toString());

        Path blob = write(Files.createDirectories(top.resolve("blobs")).resolve("0123"), "a");
        Path snapshot = Files.createDirectories(top.resolve("snapshots").resolve("main").resolve("unet"));
        Files.createSymbolicLink(snapshot.resolve("part.safetensors"), blob);
        Files.copy(folder().resolve(INDEX), snapshot.resolve(INDEX));
        try (ComponentWeights weights = ComponentWeights.open(snapshot)) {
            assertEquals(1, weights.tensors().size());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        {"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}} | lists tensor a twice
        {"weight_map": {"a": 1}}                                     | does not name a file for tensor a
        {"weight_map": {}}                                           | lists no tensors
        {}                                                           | lists no tensors
        []                                                           | is damaged
        {"weight_map": []}                                           | is damaged
        {"weight_map": {"a": "x.safetensors"}} more                  | is damaged
        {"weight_map": {"a": "x.safetensors"                         | it ends too early
        {"weight_map": {"a": "x\\u0000.safetensors"}}                | which cannot be a file
        {"weight_map": {"a": "part.bin"}}                            | is a pickle
        {"metadata": NaN, "weight_map": {"a": "x.safetensors"}}      | is damaged
        version https://git-lfs.github.com/spec/v1                   | Git LFS pointer
        """)
    void damagedIndicesAreRefused(String json, String expected) throws IOException {
        Files.writeString(folder().resolve(INDEX), json);
        assertRefused(INDEX, expected);
    }

    @Test
    void deepAndBinaryIndicesAreRefused() throws IOException {
        Files.writeString(folder().resolve(INDEX), "{\"metadata\": " + "[".repeat(1_000_000));
        assertRefused("is damaged");
        Files.write(folder().resolve(INDEX), new byte[] {'{', '"', (byte) 0xff, '"'});
        assertRefused("not UTF-8");
    }
}
