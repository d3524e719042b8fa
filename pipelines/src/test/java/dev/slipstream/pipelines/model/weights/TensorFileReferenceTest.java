package dev.slipstream.pipelines.model.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.ReferenceFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every value of the reference files, bit for bit. */
class TensorFileReferenceTest {
    private static float[] values(FileTensor tensor) {
        return new StoredTensor(tensor.type(), tensor.shape(), tensor.values(0, tensor.shape().elements())).toFloats();
    }

    @ParameterizedTest
    @CsvSource({"fp8_plain,flux_dev_fp8_plain.safetensors", "fp8_scaled,flux_dev_fp8_scale_weight.safetensors",
        "fp8_scaled,flux_dev_fp8_weight_scale.safetensors", "gguf_types,types.gguf",
        "gguf_flux_q8_0,flux-q8_0.gguf", "gguf_flux_q4_k_m,flux-q4_k_m.gguf", "gguf_sd15,sd15-mixed.gguf"})
    void valuesHaveTheStatedHashes(String folder, String name) throws IOException, NoSuchAlgorithmException {
        Path home = ReferenceFiles.orSkip("reference-files", folder);
        JsonObject expected = JsonParser.parseString(Files.readString(home.resolve("expected.json")))
            .getAsJsonObject();
        MessageDigest sha = MessageDigest.getInstance("SHA-256");
        try (TensorFile file = TensorFile.open(home.resolve(name))) {
            assertEquals(expected.keySet(), file.tensors().keySet());
            for (Map.Entry<String, JsonElement> entry : expected.entrySet()) {
                FileTensor tensor = file.tensor(entry.getKey());
                JsonObject said = entry.getValue().getAsJsonObject();
                assertEquals(Shape.of(said.getAsJsonArray("shape").asList().stream()
                    .mapToLong(JsonElement::getAsLong).toArray()), tensor.shape(), entry.getKey());
                float[] values = values(tensor);
                ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(values);
                assertEquals(said.get("sha256_f32_le").getAsString(),
                    HexFormat.of().formatHex(sha.digest(bytes.array())), entry.getKey());
            }
        }
    }

    @Test
    void everyCodeOfEightBitsIsTheNumberItStandsFor() {
        Path home = ReferenceFiles.orSkip("reference-files", "fp8_codes");
        try (TensorFile codes = TensorFile.open(home.resolve("codes.safetensors"));
            TensorFile expected = TensorFile.open(home.resolve("expected.safetensors"))) {
            for (String name : expected.tensors().keySet()) {
                assertTrue(!codes.tensor(name).isPlain(), name);
                assertArrayEquals(values(expected.tensor(name)), values(codes.tensor(name)), name);
            }
        }
    }

    @Test
    void partsOfATensorAreThePartsOfItsValues() {
        Path home = ReferenceFiles.orSkip("reference-files", "gguf_types");
        try (TensorFile file = TensorFile.open(home.resolve("types.gguf"))) {
            file.tensors().forEach((name, tensor) -> {
                float[] whole = values(tensor);
                for (int[] part : new int[][] {{0, 1}, {1, 700}, {255, 2}, {256, 256}, {31, 1000}, {3000, 72}}) {
                    float[] some = new StoredTensor(tensor.type(), Shape.of(part[1]),
                        tensor.values(part[0], part[1])).toFloats();
                    assertArrayEquals(Arrays.copyOfRange(whole, part[0], part[0] + part[1]), some, name);
                }
            });
        }
    }
}
