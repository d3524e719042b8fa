package dev.slipstream.pipelines.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.LongStream;

/**
 * The content words of a prompt, as salted hashes: which describe what, and in which order things are told. A model's
 * conditioning hardly tells "a large red star on blue" from "a large blue star on red"; this does. Immutable.
 */
public record Wording(List<Part> parts) {
    /**
     * One thing that is described.
     *
     * @param relation of how it is joined to the one before
     * @param thing that is described
     * @param describing words, in the order of their hashes, as "large red" and "red large" are the same
     */
    record Part(long relation, long thing, List<Long> describing) {
        Part {
            describing = describing.stream().sorted().toList();
        }

        private boolean isAbout(Part other) {
            return relation == other.relation && thing == other.thing;
        }

        private int words() {
            return describing.size() + 1;
        }

        /** Words that this has and the other lacks. */
        private int more(Part other) {
            List<Long> rest = new ArrayList<>(describing);
            other.describing.forEach(rest::remove);
            return rest.size();
        }
    }

    public Wording {
        parts = List.copyOf(parts);
    }

    static Wording of(String prompt, Vocabulary vocabulary, Salt salt) {
        return new Wording(vocabulary.parts(prompt).stream().map(part -> {
            List<String> words = part.words();
            return new Part(salt.shortHash(part.relation()), salt.shortHash(words.getLast()),
                words.subList(0, words.size() - 1).stream().map(salt::shortHash).toList());
        }).toList());
    }

    /**
     * How many words one of the two has beyond the other, things in the same order and each described as there.
     *
     * @return 0 where they say the same; empty where both have words that the other lacks, so that one thing stands for
     *     another, or their order differs
     */
    public OptionalInt extraWords(Wording other) {
        if (parts.size() > other.parts.size()) {
            return other.extraWords(this);
        }
        int mine = 0;
        int its = 0;
        int at = 0;
        for (Part part : parts) {
            while (at < other.parts.size() && !other.parts.get(at).isAbout(part)) {
                its += other.parts.get(at++).words();
            }
            if (at == other.parts.size()) {
                return OptionalInt.empty();
            }
            Part twin = other.parts.get(at++);
            mine += part.more(twin);
            its += twin.more(part);
        }
        for (Part rest : other.parts.subList(at, other.parts.size())) {
            its += rest.words();
        }
        return mine > 0 && its > 0 ? OptionalInt.empty() : OptionalInt.of(mine + its);
    }

    /** All hashes, each part as its relation, its thing, how many describe it, and those. */
    LongStream numbers() {
        return parts.stream().flatMapToLong(part -> LongStream.concat(
            LongStream.of(part.relation, part.thing, part.describing.size()),
            part.describing.stream().mapToLong(Long::longValue)));
    }
}
