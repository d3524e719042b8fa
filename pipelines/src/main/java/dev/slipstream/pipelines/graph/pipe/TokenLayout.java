package dev.slipstream.pipelines.graph.pipe;

import dev.slipstream.pipelines.graph.tensor.Dims;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a tensor has the picture's tokens: row by row along one axis, perhaps beside tokens of the text.
 *
 * @param outer how often the sections repeat along the axis, as where rows of a batch lie in it
 * @param sections behind each other; one of them is the picture
 */
record TokenLayout(int axis, long outer, List<Section> sections) {
    /**
     * @param picture whether it is the picture's, of which a patch has a part, or of something that has no patches
     * @param length in elements along the axis
     */
    record Section(boolean picture, long length) {
        long length(Patch patch) {
            return picture ? length / patch.all() * patch.rows() : length;
        }
    }

    TokenLayout {
        sections = List.copyOf(sections);
    }

    static TokenLayout ofPicture(int axis, long outer, long length) {
        return new TokenLayout(axis, outer, List.of(new Section(true, length)));
    }

    boolean isPicture() {
        return sections.size() == 1;
    }

    TokenLayout at(int other) {
        return new TokenLayout(other, outer, sections);
    }

    /** Along the axis, without repetitions. */
    long length() {
        return sections.stream().mapToLong(Section::length).sum();
    }

    /** The same for a patch. */
    long length(Patch patch) {
        return sections.stream().mapToLong(section -> section.length(patch)).sum();
    }

    /** The shape for a patch. @param whole that for the picture */
    long[] dims(long[] whole, Patch patch) {
        return Dims.with(whole, axis, outer * length(patch));
    }

    /** With other sections that are as long relative to each other; empty if that is not whole rows. */
    Optional<TokenLayout> scaled(int otherAxis, long otherOuter, long otherLength, long rows) {
        List<Section> scaled = new ArrayList<>();
        for (Section section : sections) {
            if (section.length() * otherLength % length() != 0) {
                return Optional.empty();
            }
            scaled.add(new Section(section.picture(), section.length() * otherLength / length()));
        }
        boolean whole = scaled.stream().allMatch(section -> !section.picture() || section.length() % rows == 0);
        return whole ? Optional.of(new TokenLayout(otherAxis, otherOuter, scaled)) : Optional.empty();
    }

    /** What lies between two places; empty if that has a part of the picture only. */
    Optional<List<Section>> between(long from, long to) {
        List<Section> found = new ArrayList<>();
        long begin = 0;
        for (Section section : sections) {
            long end = begin + section.length();
            long common = Math.min(to, end) - Math.max(from, begin);
            if (common > 0 && section.picture() && common < section.length()) {
                return Optional.empty();
            }
            if (common > 0) {
                found.add(new Section(section.picture(), common));
            }
            begin = end;
        }
        return Optional.of(found);
    }

    /** Where something lies for a patch. @param place for the picture, and not inside of its section */
    long place(long place, Patch patch) {
        long before = 0;
        long moved = 0;
        for (Section section : sections) {
            if (place >= before + section.length()) {
                moved += section.length(patch);
            } else if (place > before) {
                moved += place - before;
            }
            before += section.length();
        }
        return moved;
    }
}
