package dev.slipstream.pipelines.plan;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * What follows the name of a strategy, to be read setting by setting.
 *
 * @param strategy its name, for messages
 */
record Settings(String strategy, Map<String, String> values) {
    /** More than any loop has. */
    static final int MOST_STEPS = 10_000;
    /** Settings that need no value. */
    static final Set<String> FLAGS = Set.of("shift", "neighbours", "bessel", "frozen", "untold", "calibrated");

    /** @throws PlanException if there is a setting that is not among these, or one without a value */
    void refuseOthers(List<String> known) {
        TreeSet<String> unknown = new TreeSet<>(values.keySet());
        known.forEach(unknown::remove);
        if (!unknown.isEmpty()) {
            throw new PlanException(strategy + " has no setting " + String.join(", ", unknown) + "; it has "
                + String.join(", ", known));
        }
        values.forEach((key, value) -> {
            if (value.isEmpty()) {
                throw new PlanException(strategy + ": " + key + " has no value; write " + key + "=VALUE");
            }
        });
    }

    /** @throws PlanException if the first of these is there and one of the others, too */
    void refuseTogether(String key, String... others) {
        Stream.of(others).filter(other -> has(key) && has(other)).findFirst().ifPresent(other -> {
            throw new PlanException(strategy + ": " + other + " and " + key + " both say at which steps; leave one "
                + "out");
        });
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    Optional<String> text(String key) {
        return Optional.ofNullable(values.get(key));
    }

    /** @throws PlanException if it is no whole number of this range */
    int number(String key, int otherwise, int least, int most) {
        return number(key, values.getOrDefault(key, Integer.toString(otherwise)), least, most);
    }

    /** One of the numbers of a setting. */
    int number(String key, String value, int least, int most) {
        try {
            int number = Integer.parseInt(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException notANumber) {
            // The same answer as for a number that is out of range.
        }
        String range = most == least + 1 ? least + " or " : "a whole number from " + least + " to ";
        throw new PlanException(strategy + ": " + key + " is " + range + most + ", not '" + value + "'");
    }

    /** The parts of a list, which are joined by {@code +}. */
    List<String> list(String key) {
        return List.of(values.getOrDefault(key, "").split(" *\\+ *", -1));
    }

    /** One of these; empty if it is not said. */
    <T> Optional<T> word(String key, T[] known, Function<T, String> word) {
        List<String> words = Arrays.stream(known).map(word).toList();
        return text(key).map(value -> known[words.indexOf(oneOf(key, value, words))]);
    }

    /** @throws PlanException if it is no number of at least 0 */
    double positive(String key, String value) {
        return real(key, value, Double.MAX_VALUE, "made of numbers of at least 0");
    }

    /** @throws PlanException if it is no number from 0 to 1 */
    double share(String key, double otherwise) {
        return real(key, otherwise, 1);
    }

    /** @throws PlanException if it is no number from 0 to this one */
    double real(String key, double otherwise, int most) {
        return real(key, values.getOrDefault(key, Double.toString(otherwise)), most, "a number from 0 to " + most);
    }

    private double real(String key, String value, double most, String what) {
        try {
            double number = Double.parseDouble(value);
            if (number >= 0 && number <= most) {
                return number;
            }
        } catch (NumberFormatException notANumber) {
            // The same answer as for a number that is out of range.
        }
        throw new PlanException(strategy + ": " + key + " is " + what + ", not '" + value + "'");
    }

    /** What {@code every} and {@code first}, or {@code steps}, say. @param usual where none of them is there */
    Rounds rounds(Rounds.Every usual) {
        refuseTogether("steps", "every", "first");
        if (!has("steps")) {
            return new Rounds.Every(number("every", usual.interval(), 1, MOST_STEPS),
                number("first", usual.first(), 0, MOST_STEPS));
        }
        return new Rounds.At(new TreeSet<>(list("steps").stream().map(step -> number("steps", step, 0, MOST_STEPS))
            .toList()));
    }

    /** Whether a setting that needs no value is there. */
    boolean flag(String key) {
        return choice(key, "false", "true").equals("true");
    }

    /** One of several words. @param usual what it is if it is not said */
    String choice(String key, String usual, String... others) {
        return oneOf(key, values.getOrDefault(key, usual),
            Stream.concat(Stream.of(usual), Stream.of(others)).distinct().toList());
    }

    private String oneOf(String key, String value, List<String> words) {
        if (!words.contains(value)) {
            String others = String.join(", ", words.subList(0, words.size() - 1));
            throw new PlanException(strategy + ": " + key + " is " + others + (others.isEmpty() ? "" : " or ")
                + words.getLast() + ", not '" + value + "'");
        }
        return value;
    }
}
