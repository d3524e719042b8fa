package dev.slipstream.pipelines.diffusion.family;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The sizes that PixArt models were taught, by their proportions, as diffusers has them ({@code ASPECT_RATIO_256_BIN}
 * and so on): a picture is drawn in the one that is most like what is wanted.
 */
final class AspectRatios {
    /** Heights and widths in sixteenths of the side of a square, flat ones first. */
    private static final List<int[]> USUAL = sizes("8x32 8x29 9x28 9x27 9x26 10x25 10x24 11x23 11x22 11x21 12x21 12x20 "
        + "13x19 13x18 14x18 14x17 15x17 15x16 16x16 16x15 17x15 17x14 18x14 18x13 19x13 20x12 21x12 22x11 23x11 24x10 "
        + "25x10 27x9 32x8");
    /** What models for the largest pictures know beside them. */
    private static final List<int[]> LARGEST = sizes("8x31 8x30 26x9 28x9 29x8 30x8 31x8");
    private static final int PARTS = 16;
    private static final int LARGEST_SIDE = 2048;
    private static final List<Integer> SIDES = List.of(256, 512, 1024, LARGEST_SIDE);

    private final int side;
    private final List<int[]> sizes;

    private AspectRatios(int side, List<int[]> sizes) {
        this.side = side;
        this.sizes = sizes;
    }

    /** Those of a model that was taught squares of this side, in pixels; empty if it was taught no others. */
    static Optional<AspectRatios> of(int side) {
        List<int[]> sizes = side == LARGEST_SIDE ? Stream.concat(USUAL.stream(), LARGEST.stream())
            .sorted(Comparator.comparingDouble(AspectRatios::ratio)).toList() : USUAL;
        return SIDES.contains(side) ? Optional.of(new AspectRatios(side, sizes)) : Optional.empty();
    }

    private static List<int[]> sizes(String text) {
        return Arrays.stream(text.split(" ")).map(size -> Arrays.stream(size.split("x"))
            .mapToInt(Integer::parseInt).toArray()).toList();
    }

    /** Height by width, in hundredths, as diffusers' tables have it. */
    private static double ratio(int[] size) {
        return Math.rint(size[0] * 100.0 / size[1]) / 100;
    }

    /** The most alike size, in pixels; of two that are as much alike the flatter one. */
    LatentGrid.Size nearest(long height, long width) {
        double wanted = (double) height / width;
        int[] nearest = sizes.stream().min(Comparator.comparingDouble(size -> Math.abs(ratio(size) - wanted)))
            .orElseThrow();
        return new LatentGrid.Size((long) nearest[0] * side / PARTS, (long) nearest[1] * side / PARTS);
    }
}
