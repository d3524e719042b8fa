package dev.slipstream.pipelines.model.original;

import dev.slipstream.pipelines.model.original.KeyMap.Let;
import dev.slipstream.pipelines.model.original.KeyMap.Operation;
import dev.slipstream.pipelines.model.original.KeyMap.Part;
import dev.slipstream.pipelines.model.original.KeyMap.Rule;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the tables of {@link KeyMap} from our own resources. One thread. */
final class KeyTable {
    private static final Pattern ALTERNATIVES = Pattern.compile("(.*)\\[(.+)](.*)");

    private final List<Part> parts = new ArrayList<>();
    private final List<String> prefixes = new ArrayList<>();
    private final List<String> needs = new ArrayList<>();
    private final List<Let> lets = new ArrayList<>();
    private final List<Rule> rules = new ArrayList<>();
    private final Map<String, String> identities = new LinkedHashMap<>();
    private final Map<String, Map<String, String>> names = new LinkedHashMap<>();
    private String section = "";

    private KeyTable() {
    }

    static KeyMap read(String id) {
        try (InputStream in = KeyTable.class.getResourceAsStream(id + ".keys")) {
            KeyTable table = new KeyTable();
            new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("#")).forEach(table::take);
            return new KeyMap(id, table.parts, table.prefixes, table.needs, table.lets, table.rules, table.identities);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void take(String line) {
        String[] words = line.split("\\s+");
        if (section.equals("keys")) {
            rules(words[0], words[1], words.length > 2 ? Operation.valueOf(words[2].toUpperCase(Locale.ROOT))
                : words[1].equals("-") ? Operation.IGNORE : Operation.NONE);
            return;
        }
        switch (words[0]) {
            case "component" -> parts.add(new Part(words[1], words[2],
                words.length > 4 ? Optional.of(words[4]) : Optional.empty()));
            case "prefix" -> prefixes.add(words.length > 1 ? words[1] : "");
            case "needs" -> needs.add(words[1]);
            case "let" -> lets.add(new Let(words[1], words[2].equals("first"), Pattern.compile(
                Pattern.quote(words[3]).replace("{}", "\\E(\\d{1,4})\\Q"))));
            case "identity" -> identities.put(words[1], words[2]);
            case "keys" -> section = words[0];
            case "names" -> {
                section = words[1];
                names.put(section, new LinkedHashMap<>());
            }
            default -> names.get(section).put(words[0], words[1]);
        }
    }

    private void rules(String original, String target, Operation operation) {
        for (Map.Entry<String, Map<String, String>> named : names.entrySet()) {
            String mark = "<" + named.getKey() + ">";
            if (original.contains(mark)) {
                named.getValue().forEach((there, here) ->
                    rules(original.replace(mark, there), target.replace(mark, here), operation));
                return;
            }
        }
        Matcher alternatives = ALTERNATIVES.matcher(target);
        if (!alternatives.matches()) {
            rules.add(new Rule(original, List.of(target), List.of(1), operation));
            return;
        }
        List<String> targets = new ArrayList<>();
        List<Integer> shares = new ArrayList<>();
        for (String alternative : alternatives.group(2).split(",")) {
            String[] share = alternative.split(":");
            targets.add(alternatives.group(1) + share[0] + alternatives.group(3));
            shares.add(share.length > 1 ? Integer.parseInt(share[1]) : 1);
        }
        rules.add(new Rule(original, targets, shares, operation));
    }
}
