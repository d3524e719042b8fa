package dev.slipstream.pipelines.graph.cut;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.stream.MalformedJsonException;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.JsonText;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.TopologicalOrder;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Cuts that people have chosen: those in a file beside a model, and those of the AsyncDiff reference implementation
 * (arXiv 2406.06911), whose tables of components are a resource.
 */
public final class Cuts {
    /** Far more than any list of modules. */
    private static final int MOST_BYTES = 16 << 20;
    private static final String REFERENCE = "asyncdiff-cuts.json";

    private Cuts() {
    }

    /**
     * Reads cuts from a file such as
     * <pre>{"cuts": [{"name": "contiguous", "components": [["conv_in", "down_blocks"], ["up_blocks"]]}]}</pre>
     *
     * @throws GraphException naming the file, if it is missing or says something else
     */
    public static List<Cut> read(Path file) {
        try {
            JsonElement json = JsonText.parse(InputFile.text(file, MOST_BYTES));
            if (!json.isJsonObject() || !(json.getAsJsonObject().get("cuts") instanceof JsonArray entries)) {
                throw new GraphException("it should be an object with a list \"cuts\"");
            }
            List<Cut> cuts = new ArrayList<>();
            Set<String> names = new HashSet<>();
            for (JsonElement entry : entries) {
                Cut cut = cut(entry, cuts.size());
                if (!names.add(cut.name())) {
                    throw new GraphException("two cuts are named '" + cut.name() + "'");
                }
                cuts.add(cut);
            }
            return List.copyOf(cuts);
        } catch (MalformedJsonException bad) {
            throw new GraphException(file + " is not valid JSON: " + bad.getMessage(), bad);
        } catch (IOException failed) {
            throw new GraphException(failed.getMessage(), failed);
        } catch (GraphException bad) {
            throw new GraphException(file + ": " + bad.getMessage(), bad);
        }
    }

    private static Cut cut(JsonElement entry, int index) {
        if (!(entry instanceof JsonObject object) || !(object.get("components") instanceof JsonArray components)) {
            throw new GraphException("cut " + index + " should have a \"name\" and a list \"components\"");
        }
        String name = text(object.get("name"), "the name of cut " + index);
        return new Cut(name, components(components, name));
    }

    private static List<List<String>> components(JsonArray components, String cut) {
        List<List<String>> lists = new ArrayList<>();
        for (JsonElement component : components) {
            String place = "component " + lists.size() + " of cut '" + cut + "'";
            if (!(component instanceof JsonArray prefixes)) {
                throw new GraphException(place + " should be a list of modules");
            }
            List<String> list = new ArrayList<>();
            prefixes.forEach(prefix -> list.add(text(prefix, "a module in " + place)));
            lists.add(list);
        }
        return lists;
    }

    private static String text(JsonElement element, String what) {
        if (element == null || !element.isJsonPrimitive() || !element.getAsJsonPrimitive().isString()) {
            throw new GraphException(what + " should be a string");
        }
        return element.getAsString();
    }

    /**
     * The cut of the AsyncDiff reference implementation for a denoiser of this kind, if it has one for so many
     * components: Stable Diffusion 1.x, 2.x and 3, SDXL, the x4 upscaler, with 2, 3 or 4.
     *
     * <p>Only the structure counts, so models of any width match, and so do fine-tunes and inpainting models.
     *
     * @param config the denoiser's {@code config.json}, as diffusers writes it
     */
    public static Optional<Cut> reference(JsonObject config, int components) {
        return tables(config).flatMap(tables -> reference(config, components, tables));
    }

    /** @param tables those of the class that the config is of */
    private static Optional<Cut> reference(JsonObject config, int components, JsonObject tables) {
        for (JsonElement element : tables.getAsJsonArray("families")) {
            JsonObject family = element.getAsJsonObject();
            if (matches(family.getAsJsonObject("config"), config, tables.getAsJsonObject("defaults"))) {
                String name = "asyncdiff-" + family.get("name").getAsString() + "-" + components;
                return Optional.ofNullable(family.getAsJsonObject("cuts").getAsJsonArray(Integer.toString(components)))
                    .map(lists -> new Cut(name, components(lists, name)));
            }
        }
        return Optional.empty();
    }

    /** The tables of the class that is named; those of UNets, which come first, for all else that has their blocks. */
    private static Optional<JsonObject> tables(JsonObject config) {
        List<JsonObject> classes = referenceTables().asList().stream().map(JsonElement::getAsJsonObject).toList();
        // Silence means the defaults of a class only where the class or its blocks are named.
        return classes.stream().filter(tables -> tables.get("class").equals(config.get("_class_name"))).findFirst()
            .or(() -> config.has("down_block_types") ? Optional.of(classes.getFirst()) : Optional.empty());
    }

    /**
     * For each class its families of models, each with what a config of the family says; and what configs mean that are
     * silent.
     */
    private static JsonArray referenceTables() {
        try (InputStream in = Cuts.class.getResourceAsStream(REFERENCE)) {
            return JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8)).getAsJsonObject()
                .getAsJsonArray("classes");
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot read the resource " + REFERENCE, failed);
        }
    }

    /** A config that is silent, or says null, means the default, which may be null, too. */
    private static boolean matches(JsonObject family, JsonObject config, JsonObject defaults) {
        return family.entrySet().stream()
            .allMatch(wanted -> said(config, wanted.getKey()).or(() -> said(defaults, wanted.getKey()))
                .orElse(JsonNull.INSTANCE).equals(wanted.getValue()));
    }

    private static Optional<JsonElement> said(JsonObject object, String key) {
        return Optional.ofNullable(object.get(key)).filter(value -> !value.isJsonNull());
    }

    /**
     * A cut in which each module with expensive operators is a component by itself, in the order in which they run:
     * for measuring them one by one.
     *
     * @param laggable as for {@link Splitter#split(Graph, Cut, Set)}
     */
    public static Cut singleModules(Graph graph, Set<String> laggable) {
        Graph live = GraphPruner.prune(graph);
        StepDependence dependence = new StepDependence(live, laggable);
        return new Cut("modules", TopologicalOrder.byDepth(live).stream()
            .filter(node -> dependence.changes(node) && Ownership.mustHaveOwner(node)
                && !ModulePath.of(node).isEmpty())
            .map(node -> ModulePath.unit(ModulePath.of(node))).distinct().map(List::of).toList());
    }
}
