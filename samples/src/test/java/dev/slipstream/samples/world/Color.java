package dev.slipstream.samples.world;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;

/** The colours of the sample model's world. */
enum Color {
    RED(.86, .10, .12), GREEN(.10, .62, .20), BLUE(.12, .25, .85), YELLOW(.98, .85, .12), ORANGE(.97, .52, .08),
    PURPLE(.50, .16, .65), PINK(.97, .55, .72), CYAN(.20, .80, .85), WHITE(.97, .97, .97), BLACK(.05, .05, .06),
    GRAY(.52, .53, .55), BROWN(.45, .27, .13);

    private final double[] channels;

    Color(double red, double green, double blue) {
        channels = new double[] {red, green, blue};
    }

    /** Of red, green or blue, 0 to 1. */
    double channel(int index) {
        return channels[index];
    }

    /** The one that is nearest to some light. @param light red, green and blue, 1 for the brightest */
    static Color nearest(double[] light) {
        return Arrays.stream(values()).min(Comparator.comparingDouble(color -> color.distance(light))).orElseThrow();
    }

    private double distance(double[] light) {
        double sum = 0;
        for (int i = 0; i < light.length; i++) {
            sum += (channels[i] - light[i]) * (channels[i] - light[i]);
        }
        return sum;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
