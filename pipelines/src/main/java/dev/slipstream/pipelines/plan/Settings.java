package dev.slipstream.pipelines.plan;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * What follows the name of a strategy, to be read setting by setting.
 *
 * @param strategy its name, for messages
 */
record Settings(String strategy, Map<String, String> values) {
    /** More than any loop has. */
    static final int MOST_STEPS = 10_000;

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

    /** @throws PlanException if it is no number from 0 to 1 */
    double share(String key, double otherwise) {
        String value = values.getOrDefault(key, Double.toString(otherwise));
        try {
            double share = Double.parseDouble(value);
            if (share >= 0 && share <= 1) {
                return share;
            }
        } catch (NumberFormatException notANumber) {
            // The same answer as for a number that is out of range.
        }
        throw new PlanException(strategy + ": " + key + " is a number from 0 to 1, not '" + value + "'");
    }

    /** @param first what it is if it is not said */
    String choice(String key, String first, String second) {
        String value = values.getOrDefault(key, first);
        if (!value.equals(first) && !value.equals(second)) {
            throw new PlanException(strategy + ": " + key + " is " + first + " or " + second + ", not '" + value
                + "'");
        }
        return value;
    }
}
