package dev.slipstream.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.Main;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchGraphsTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int graphs(String... arguments) {
        return Main.execute(new Terminal(new PrintWriter(out), new PrintWriter(err), () -> false), arguments);
    }

    /** A tiny checkpoint, the graph written from it where an exporter would put its own, and inputs of 8x8 latents. */
    private static void write(Path folder) throws IOException {
        ModelTemplate.of(ModelFamily.of("sd15"), true).write(folder);
        DenoiserGraph model = DenoiserGraph.read(ModelFolder.open(folder), ComponentFormat.CHECKPOINT);
        GraphFile.write(model.graph(), folder.resolve("unet/model.onnx"));
        Files.writeString(folder.resolve("cases.json"), "{\"cases\": []}");
        SafetensorsWriter.write(folder.resolve("inputs.safetensors"), Map.of("latents", zeros(1, 4, 8, 8),
            "encoder_hidden_states", zeros(2, 77, model.config().get("cross_attention_dim").getAsInt())), Map.of());
        SafetensorsWriter.write(folder.resolve("expected.safetensors"), Map.of("none", zeros(1)), Map.of());
    }

    private static StoredTensor zeros(long... dims) {
        Shape shape = Shape.of(dims);
        return StoredTensor.of(shape, new float[Math.toIntExact(shape.elements())]);
    }

    @Test
    void everyFormOfBothGraphsIsMeasuredAtEachSize(@TempDir Path folder) throws IOException {
        write(folder);
        Path json = folder.resolve("graphs.json");
        assertEquals(ExitCode.OK, graphs("bench", "graphs", folder.toString(), "--latents", "8,16", "--calls", "1",
            "--rounds", "2", "--json", json.toString()), err::toString);
        SchemaCheck.assertFits("bench graphs", Files.readString(json));
        JsonArray rows = JsonParser.parseString(Files.readString(json)).getAsJsonArray();
        assertEquals(List.of("8x8 exporter's", "8x8 exporter's, for CPUs", "8x8 from the checkpoint",
            "8x8 from the checkpoint, for CPUs", "16x16 exporter's", "16x16 exporter's, for CPUs",
            "16x16 from the checkpoint", "16x16 from the checkpoint, for CPUs"),
            rows.asList().stream().map(row -> text(row.getAsJsonObject())).toList());
        JsonObject first = rows.get(4).getAsJsonObject();
        JsonObject second = rows.get(6).getAsJsonObject();
        JsonObject fused = rows.get(7).getAsJsonObject();
        assertEquals(1, first.get("ratio").getAsDouble());
        assertEquals(first.get("optimized"), second.get("optimized"), "here it is the same graph");
        assertTrue(second.getAsJsonObject("optimized").get("Conv").getAsInt() > 0, second::toString);
        assertEquals(second.getAsJsonObject("optimized").get("Softmax"),
            fused.getAsJsonObject("optimized").get("MultiHeadAttention"));
        assertFalse(fused.getAsJsonObject("optimized").has("Softmax"), fused::toString);
        assertEquals(second.get("call_ms").getAsDouble() / first.get("call_ms").getAsDouble(),
            second.get("ratio").getAsDouble(), 1e-9);
    }

    private static String text(JsonObject row) {
        return row.get("latents").getAsString() + " " + row.get("graph").getAsString();
    }

    @ParameterizedTest
    @CsvSource({"--calls, 0", "--rounds, 0", "--latents, 0", "--json, /no/such/folder/graphs.json"})
    void whatCannotBeMeasuredIsSaidBeforeAnythingIsBuilt(String option, String value) {
        assertEquals(ExitCode.WRONG_USAGE, graphs("bench", "graphs", "model", option, value));
        assertTrue(err.toString().contains(option), err::toString);
    }
}
