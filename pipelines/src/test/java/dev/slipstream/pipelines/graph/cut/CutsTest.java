package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CutsTest {
    private static final String STABLE_DIFFUSION = """
        "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]""";

    @TempDir
    Path folder;

    /** What the published implementation was run with. A list of all of a level's blocks may be the level. */
    @ParameterizedTest
    @CsvSource({"svd, 2", "svd, 3", "animatediff, 2", "animatediff, 3"})
    void tablesOfVideosAreThoseOfTheReferenceCases(String family, int components) {
        Path folder = ReferenceFiles.orSkip("reference", family);
        List<List<String>> expected = ConfigFile.read(folder.resolve("cases.json")).object("components").orElseThrow()
            .list(Integer.toString(components)).stream().map(list -> list.getAsJsonArray().asList().stream()
                .map(JsonElement::getAsString).filter(module -> !module.startsWith("down_blocks")).toList()).toList();

        Cut cut = Cuts.reference(ConfigFile.read(folder.resolve("unet/config.json")).root(), components).orElseThrow();

        assertEquals(expected, cut.components().stream().map(list -> list.stream()
            .filter(module -> !module.startsWith("down_blocks")).toList()).toList());
        assertEquals("asyncdiff-" + family + "-" + components, cut.name());
    }

    @Test
    void modulesThatAreJoinedAreInNoComponentUnlessOneListsThem() {
        Cut cut = new Cut("two", List.of(List.of("a", "guest"), List.of("b")));

        assertEquals(List.of("other"), cut.withFresh(List.of("guest", "other")).fresh());
    }

    @ParameterizedTest
    @CsvSource({"sd15, 2, c0 c1", "sd15, 3, c0 c1 c2", "sd15, 4, c0 c1 c2 c3",
        "sd21, 2, c0 c1", "sd21, 3, c0 c1 c2", "sd21, 4, c0 c1 c2 c3",
        "sdxl, 2, c1.0 c0 c1.1", "sdxl, 3, c2.0 c0 c1 c2.1", "sdxl, 4, c3.0 c0 c1 c2 c3.1",
        "x4, 2, c0 c1", "x4, 3, c0 c1.0 c2.0 c1.1 c2.1", "x4, 4, c0 c1 c2 c3"})
    void tablesOfTheReferenceGiveTheseSegments(String family, int components, String names) {
        Graph graph = switch (family) {
            case "sdxl" -> UNetSketch.of(false, true, true);
            case "x4" -> UNetSketch.of(false, true, true, true);
            default -> UNetSketch.of(true, true, true, false);
        };
        Cut cut = Cuts.reference(config(family), components).orElseThrow();

        Partition partition = Splitter.split(graph, cut, Set.of("sample"));

        assertEquals(List.of(names.split(" ")), partition.segments().stream().map(Segment::name).toList());
        assertTrue(partition.edges().stream().allMatch(edge -> edge.endsWith("/Conv_output_0")));
    }

    private static JsonObject config(String family) {
        return json(switch (family) {
            case "sd15" -> STABLE_DIFFUSION;
            case "sd21" -> STABLE_DIFFUSION + ", \"use_linear_projection\": true, \"in_channels\": 9";
            case "sdxl" -> """
                "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
                "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
                "use_linear_projection": true, "addition_embed_type": "text_time\"""";
            default -> """
                "down_block_types":
                    ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
                "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
                "only_cross_attention": [true, true, true, false], "num_class_embeds": 1000""";
        });
    }

    private static JsonObject json(String entries) {
        return JsonParser.parseString("{" + entries + "}").getAsJsonObject();
    }

    @Test
    void silenceInAConfigMeansTheDefault() {
        JsonObject silent = json(STABLE_DIFFUSION);
        JsonObject outspoken = json(STABLE_DIFFUSION
            + ", \"use_linear_projection\": false, \"layers_per_block\": 2, \"addition_embed_type\": null");
        JsonObject nulls = json(STABLE_DIFFUSION + ", \"use_linear_projection\": null, \"layers_per_block\": null");

        assertEquals("asyncdiff-sd15-2", Cuts.reference(silent, 2).orElseThrow().name());
        assertEquals(Cuts.reference(silent, 2), Cuts.reference(outspoken, 2));
        assertEquals(Cuts.reference(silent, 2), Cuts.reference(nulls, 2));
        assertEquals(Cuts.reference(silent, 2), Cuts.reference(json("\"_class_name\": \"UNet2DConditionModel\""), 2));
        assertEquals(Optional.empty(), Cuts.reference(json(""), 2), "it may be of another class");
    }

    @Test
    void otherStructuresHaveNoTable() {
        assertEquals(Optional.empty(), Cuts.reference(json(STABLE_DIFFUSION), 5));
        assertEquals(Optional.empty(), Cuts.reference(json(STABLE_DIFFUSION + ", \"layers_per_block\": 1"), 2));
        assertEquals(Optional.empty(), Cuts.reference(json("\"_class_name\": \"SD3Transformer2DModel\""), 2));
        assertEquals(Optional.empty(), Cuts.reference(json("\"down_block_types\": 3"), 2));
    }

    @Test
    void readsCutsFromAFile() throws IOException {
        Path file = write("""
            {"cuts": [{"name": "contiguous", "components": [["conv_in", "down_blocks"], ["up_blocks"]]},
                      {"name": "one", "components": [["conv_in"]]}]}""");

        assertEquals(List.of(
            new Cut("contiguous", List.of(List.of("conv_in", "down_blocks"), List.of("up_blocks"))),
            new Cut("one", List.of(List.of("conv_in")))), Cuts.read(file));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "{", "[]", "{\"cuts\": 3}", "{\"cuts\": [3]}", "{\"cuts\": [{\"components\": [[\"a\"]]}]}",
        "{\"cuts\": [{\"name\": \"a\"}]}", "{\"cuts\": [{\"name\": \"a\", \"components\": []}]}",
        "{\"cuts\": [{\"name\": \"a\", \"components\": [[]]}]}",
        "{\"cuts\": [{\"name\": \"a\", \"components\": [\"a\"]}]}",
        "{\"cuts\": [{\"name\": \"a\", \"components\": [[1]]}]}",
        "{\"cuts\": [{\"name\": \"a\", \"components\": [[\"b\"], [\"b\"]]}]}",
        "{\"cuts\": [{\"name\": \"a\", \"components\": [[\"b\"]]}, {\"name\": \"a\", \"components\": [[\"b\"]]}]}"})
    void damagedFilesAreNamedInTheError(String text) throws IOException {
        Path file = write(text);

        String said = assertThrows(GraphException.class, () -> Cuts.read(file)).getMessage();
        assertTrue(said.startsWith(file.toString()), said);
    }

    @Test
    void missingFileIsNamedInTheError() {
        Path file = folder.resolve("none.json");

        assertEquals("there is no file " + file,
            assertThrows(GraphException.class, () -> Cuts.read(file)).getMessage());
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("cuts.json"), text);
    }

    /** Only such a module can rest by itself. */
    @Test
    void aModuleHasAComponentToItselfIfNothingElseIsInIt() {
        List<List<String>> components = List.of(List.of("down", "mixed"), List.of("guest"), List.of("up", "split.a"));
        Cut cut = new Cut("by hand", components).withFresh(List.of("other", "guest", "mixed", "split", "last"));
        assertEquals(OptionalInt.of(1), cut.own("guest"));
        assertEquals(OptionalInt.of(-1), cut.own("other"));
        assertEquals(OptionalInt.of(-3), cut.own("last"));
        assertEquals(OptionalInt.empty(), cut.own("mixed"), "with another module");
        assertEquals(OptionalInt.empty(), cut.own("split"), "a part of it is in a component");
        assertEquals(OptionalInt.empty(), cut.own("nowhere"));
    }
}
