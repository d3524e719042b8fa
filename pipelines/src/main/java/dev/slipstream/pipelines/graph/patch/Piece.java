package dev.slipstream.pipelines.graph.patch;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * What one patch has of a tensor of another: a range along the axis that is divided.
 *
 * @param patch whose tensor it is
 * @param label tells it from other pieces of the same tensor
 * @param from the first row or token, counted within the patch; {@code to} one behind the last
 */
record Piece(int patch, String label, long from, long to) {
    /** The name of the piece as a tensor. @param site the operator that reads it, {@code what} it is of that */
    String tensor(String site, String what) {
        return site + ":" + label + what + "@" + patch;
    }

    /** Rows beside those of a patch. @param rows that a patch has, of which a convolution needs some on either side */
    static IntFunction<List<Piece>> rowsBeside(int patches, long rows, long before, long after) {
        return patch -> beside(patch, patches, rows, before, after);
    }

    /** All of all other patches. @param length of each */
    static IntFunction<List<Piece>> all(int patches, long length) {
        return patch -> IntStream.range(0, patches).filter(other -> other != patch)
            .mapToObj(other -> new Piece(other, "", 0, length)).toList();
    }

    /** The tokens that a patch attends to. @param tokens of each patch, {@code portion} of its neighbours', or all */
    static IntFunction<List<Piece>> tokens(int patches, long tokens, OptionalDouble portion) {
        if (portion.isEmpty()) {
            return all(patches, tokens);
        }
        double part = portion.getAsDouble();
        // In double precision and rounded down, as in the published code: not the same number on both sides.
        return patch -> beside(patch, patches, tokens,
            patch * tokens - (long) Math.max(0, tokens * (patch - part)),
            (long) Math.min(tokens * (part + 1 + patch), tokens * patches) - (patch + 1) * tokens);
    }

    private static List<Piece> beside(int patch, int patches, long length, long before, long after) {
        List<Piece> pieces = new ArrayList<>();
        if (patch > 0 && before > 0) {
            pieces.add(new Piece(patch - 1, "last-", length - before, length));
        }
        if (patch < patches - 1 && after > 0) {
            pieces.add(new Piece(patch + 1, "first-", 0, after));
        }
        return pieces;
    }

    /** The pieces of a patch that others have. @param read what each patch has of others */
    static List<Piece> given(int patch, int patches, IntFunction<List<Piece>> read) {
        return IntStream.range(0, patches).mapToObj(read).flatMap(List::stream).filter(piece -> piece.patch == patch)
            .distinct().toList();
    }
}
