package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The classes that a model was taught, by number and by name: {@code id2label} of model_index.json gives each one or
 * more names, with commas between them.
 */
final class ClassNames {
    private static final int MOST_SUGGESTED = 6;

    private final int count;
    /** The first name of each class, as it is written. */
    private final List<String> names = new ArrayList<>();
    /** By every name, in small letters; the whole label is one, too. */
    private final Map<String, Set<Integer>> numbers = new HashMap<>();

    /**
     * @param count of the classes
     * @throws dev.slipstream.pipelines.model.ModelException if a label is no text, or of a class that is not there
     */
    ClassNames(int count, List<ConfigFile> labels) {
        this.count = count;
        for (ConfigFile file : labels) {
            for (String number : file.root().keySet()) {
                if (!isNumber(number)) {
                    throw file.wrong(number, "is no class; there are 0 to " + (count - 1));
                }
                add(Integer.parseInt(number), file.text(number).orElse(""));
            }
        }
    }

    private void add(int number, String label) {
        List<String> own = Arrays.stream(label.split(",")).map(String::strip).filter(name -> !name.isEmpty()).toList();
        own.stream().limit(1).forEach(names::add);
        Stream.concat(Stream.of(label.strip()), own.stream()).map(ClassNames::small).forEach(name ->
            numbers.computeIfAbsent(name, any -> new TreeSet<>()).add(number));
    }

    private static String small(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    private boolean isNumber(String text) {
        return text.matches("\\d{1,9}") && Integer.parseInt(text) < count;
    }

    /** The number of a class. @throws RequestException if there is no such class, or there are several */
    int number(String numberOrName) {
        String wanted = numberOrName.strip();
        if (isNumber(wanted)) {
            return Integer.parseInt(wanted);
        }
        Set<Integer> found = numbers.getOrDefault(small(wanted), Set.of());
        if (found.size() > 1) {
            throw new RequestException("several classes are called \"" + wanted + "\": "
                + found.stream().map(String::valueOf).collect(Collectors.joining(", ")) + "; say the number");
        }
        return found.stream().findFirst().orElseThrow(() -> new RequestException("this model draws classes, and there "
            + "is no class \"" + wanted + "\"; say a number from 0 to " + (count - 1) + suggested(small(wanted))));
    }

    /** Names with a word of what was wanted; if there is none, any. */
    private String suggested(String wanted) {
        Set<String> words = Arrays.stream(wanted.split("\\W+")).filter(word -> word.length() > 2)
            .collect(Collectors.toSet());
        List<String> alike = names.stream()
            .filter(name -> Arrays.stream(small(name).split("\\W+")).anyMatch(words::contains)).toList();
        List<String> shown = (alike.isEmpty() ? names : alike).stream().distinct().limit(MOST_SUGGESTED).toList();
        return shown.isEmpty() ? ", as it has no names for them" : " or a name such as " + String.join(", ", shown);
    }
}
