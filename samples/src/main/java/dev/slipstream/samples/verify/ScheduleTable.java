package dev.slipstream.samples.verify;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.samples.terminal.Json;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Tables of what a reference implementation's noise schedulers give for a toy denoiser, in one of two forms: an object
 * with {@code configs} by name and {@code cases}, or a list of cases that each bring their own {@code config}.
 */
final class ScheduleTable {
    private static final double NAMED_TOLERANCE = 1e-4;
    private static final double OWN_TOLERANCE = 1e-5;
    private static final String CASES = "cases";

    private final ConfigFile table;
    private final Optional<ConfigFile> configs;
    private final List<JsonElement> cases;

    private ScheduleTable(ConfigFile table) {
        this.table = table;
        if (!table.has(CASES)) {
            throw table.wrong(CASES, "is missing, so this is no table of noise schedules");
        }
        configs = table.object("configs");
        cases = table.list(CASES);
        if (cases.isEmpty()) {
            throw table.wrong(CASES, "is empty");
        }
    }

    /** @throws ModelException if the file cannot be read, or is no such table */
    static ScheduleTable read(Path file) {
        return new ScheduleTable(ConfigFile.readObjectOrList(file, CASES));
    }

    /**
     * Runs cases. A damaged one is refused, and the others still run.
     *
     * @param names of the cases to run; all if there are none
     * @throws ModelException if there is no case of a name
     */
    List<ScheduleCase.Result> run(List<String> names) {
        List<String> all = IntStream.range(0, cases.size()).mapToObj(this::name).toList();
        for (String name : names) {
            if (!all.contains(name)) {
                throw new ModelException(table.path() + " has no case " + name + " among its " + all.size());
            }
        }
        return IntStream.range(0, cases.size()).filter(index -> names.isEmpty() || names.contains(all.get(index)))
            .mapToObj(index -> run(cases.get(index), all.get(index))).toList();
    }

    /** The name of a case, or its number where it has none. */
    private String name(int index) {
        JsonElement name = cases.get(index) instanceof JsonObject each ? each.get("name") : null;
        return name instanceof JsonPrimitive text && text.isString() ? text.getAsString() : "case " + (index + 1);
    }

    private ScheduleCase.Result run(JsonElement element, String name) {
        try {
            if (!(element instanceof JsonObject object)) {
                throw table.wrong(CASES, "must be objects, not " + element);
            }
            ConfigFile each = new ConfigFile(table.path(), object);
            return (configs.isPresent() ? named(each, configs.get()) : own(each)).run();
        } catch (ModelException e) {
            return ScheduleCase.Result.refused(name, e.getMessage());
        }
    }

    private static ScheduleCase named(ConfigFile each, ConfigFile configs) {
        String config = required(each, "config");
        JsonObject scheduler = configs.object(config).orElseThrow(() ->
            each.wrong("config", "names '" + config + "', which is not in \"configs\"")).root();
        int begin = each.element("begin").map(value -> each.index("begin", value)).orElse(0);
        double[] last = numbers(each, "last", each.list("last"));
        List<double[]> steps = rows(each, "each");
        if (!steps.isEmpty() && !Arrays.equals(steps.getLast(), last)) {
            throw each.wrong("last", "must be the last of \"each\"");
        }
        return read(each, scheduler, required(each, "method"), begin, steps.isEmpty() ? List.of(last) : steps,
            NAMED_TOLERANCE);
    }

    private static ScheduleCase own(ConfigFile each) {
        JsonObject scheduler = each.object("config").orElseThrow(() -> each.wrong("config", "is missing")).root();
        return read(each, scheduler, required(each, "class"), 0, rows(each, "run"), OWN_TOLERANCE);
    }

    private static ScheduleCase read(ConfigFile each, JsonObject scheduler, String className, int begin,
        List<double[]> latents, double tolerance) {
        double[] timesteps = numbers(each, "timesteps", each.list("timesteps"));
        if (timesteps.length == 0) {
            throw each.wrong("timesteps", "is missing or empty");
        }
        if (begin >= timesteps.length) {
            throw each.wrong("begin", "must be less than the number of timesteps");
        }
        if (latents.isEmpty() || latents.stream().anyMatch(row -> row.length != ScheduleCase.ELEMENTS)) {
            throw each.wrong("name", "is " + required(each, "name") + ", which has no latents of "
                + ScheduleCase.ELEMENTS + " numbers after the last step");
        }
        if (latents.size() > 1 && latents.size() != timesteps.length - begin) {
            throw each.wrong("timesteps", "must be one for each step that is told, from \"begin\" on");
        }
        OptionalInt tokens = each.has("image_seq_len") ? OptionalInt.of(each.positiveInteger("image_seq_len"))
            : OptionalInt.empty();
        OptionalDouble scale = each.has("init_noise_sigma")
            ? OptionalDouble.of(each.number("init_noise_sigma", 1)) : OptionalDouble.empty();
        return new ScheduleCase(required(each, "name"), scheduler.toString(), className,
            each.positiveInteger("steps"), begin, tokens, timesteps, scale, latents, tolerance);
    }

    private static String required(ConfigFile each, String key) {
        return each.text(key).orElseThrow(() -> each.wrong(key, "is missing"));
    }

    private static List<double[]> rows(ConfigFile each, String key) {
        return each.list(key).stream().map(row -> {
            if (!row.isJsonArray()) {
                throw each.wrong(key, "must be a list of lists of numbers, but has " + row);
            }
            return numbers(each, key, row.getAsJsonArray().asList());
        }).toList();
    }

    private static double[] numbers(ConfigFile each, String key, List<JsonElement> elements) {
        return elements.stream().mapToDouble(value -> each.number(key, value)).toArray();
    }

    /** A line for each case that does not agree, and one for all. */
    static String text(List<ScheduleCase.Result> results) {
        StringBuilder text = new StringBuilder();
        for (ScheduleCase.Result result : results) {
            if (!result.agrees()) {
                text.append(result.name()).append(": ").append(result.reason().orElseGet(() ->
                    String.format(Locale.ROOT, "differs by %.2e of the largest latent", result.difference())))
                    .append(System.lineSeparator());
            }
        }
        long agreeing = results.stream().filter(ScheduleCase.Result::agrees).count();
        return text + String.format("%d of %d noise schedules agree%n", agreeing, results.size());
    }

    /** An object with {@code cases}, each {@code {name, agrees, difference}} and, if there is one, a {@code reason}. */
    static String json(List<ScheduleCase.Result> results) {
        JsonArray cases = new JsonArray();
        for (ScheduleCase.Result result : results) {
            JsonObject entry = new JsonObject();
            entry.addProperty("name", result.name());
            entry.addProperty("agrees", result.agrees());
            if (Double.isFinite(result.difference())) {
                entry.addProperty("difference", result.difference());
            } else {
                entry.add("difference", JsonNull.INSTANCE);
            }
            result.reason().ifPresent(reason -> entry.addProperty("reason", reason));
            cases.add(entry);
        }
        JsonObject report = new JsonObject();
        report.add("cases", cases);
        return Json.tree(report);
    }
}
