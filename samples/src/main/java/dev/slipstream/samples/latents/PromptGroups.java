package dev.slipstream.samples.latents;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.samples.terminal.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Prompts that say the same or nearly, in groups: a prompt a line, with an empty line between groups. Lines that begin
 * with {@code #} mean nothing.
 */
record PromptGroups(List<Group> groups) {
    private static final int MOST_BYTES = 1 << 20;

    PromptGroups {
        groups = List.copyOf(groups);
    }

    /** @param place of its first prompt, for complaints */
    record Group(String place, List<String> prompts) {
    }

    /** Those that come with the command, of what people often ask for. */
    static PromptGroups everyday() {
        try (InputStream in = Objects.requireNonNull(PromptGroups.class.getResourceAsStream("everyday.txt"))) {
            return parse("everyday.txt", new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException impossible) {
            throw new UncheckedIOException("everyday.txt of the class path cannot be read", impossible);
        }
    }

    /** @throws InputException if a file cannot be read or has no such groups */
    static PromptGroups read(Path file) {
        try {
            return parse(file.toString(), InputFile.text(file, MOST_BYTES));
        } catch (IOException unreadable) {
            throw new InputException(unreadable.getMessage() + "; name another file with --prompts", unreadable);
        }
    }

    /** @param name of the file, for complaints */
    static PromptGroups parse(String name, String text) {
        List<Group> groups = new ArrayList<>();
        Map<String, Integer> group = new LinkedHashMap<>();
        List<String> lines = new ArrayList<>(text.replaceFirst("^\uFEFF", "").lines().map(String::strip).toList());
        lines.add("");
        for (int number = 1; number <= lines.size(); number++) {
            String line = lines.get(number - 1);
            if (line.isEmpty() && !group.isEmpty()) {
                String place = "line " + group.values().iterator().next() + " of " + name;
                if (group.size() == 1) {
                    throw new InputException(place + " is a group of one prompt, which can be compared with none; "
                        + "write others that say the same below it, without an empty line between them");
                }
                groups.add(new Group(place, List.copyOf(group.keySet())));
                group.clear();
            } else if (!line.isEmpty() && !line.startsWith("#")) {
                Integer before = group.putIfAbsent(line, number);
                if (before != null) {
                    throw new InputException("line " + number + " of " + name + " has the prompt of line " + before
                        + " again; leave out one of them");
                }
            }
        }
        if (groups.isEmpty()) {
            throw new InputException(name + " has no prompts; write groups of them that say the same, a prompt a line, "
                + "with an empty line between groups");
        }
        return new PromptGroups(groups);
    }

    /** Of all groups together. */
    int prompts() {
        return groups.stream().mapToInt(group -> group.prompts().size()).sum();
    }
}
