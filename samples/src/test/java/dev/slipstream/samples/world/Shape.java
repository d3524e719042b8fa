package dev.slipstream.samples.world;

import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** What the sample model draws, as {@code samples/training/data.py} has it. */
enum Shape {
    CIRCLE(at -> at.distance() - at.radius),
    SQUARE(at -> Math.max(Math.abs(at.x), Math.abs(at.y)) - .86 * at.radius),
    TRIANGLE(at -> Math.max(.866 * Math.abs(at.x) - .5 * at.y, at.y) - .55 * at.radius),
    STAR(Shape::star),
    RING(at -> Math.abs(at.distance() - .78 * at.radius) - .24 * at.radius),
    CROSS(Shape::cross),
    DIAMOND(at -> 1.15 * Math.abs(at.x) + .87 * Math.abs(at.y) - .95 * at.radius),
    HEART(Shape::heart);

    private final ToDoubleFunction<Point> edge;

    /** @param edge about how many pixels a point is outside of the edge; negative inside */
    Shape(ToDoubleFunction<Point> edge) {
        this.edge = edge;
    }

    /** A point seen from the middle of a shape, in pixels; y goes down. */
    private record Point(double x, double y, double radius) {
        double distance() {
            return Math.hypot(x, y);
        }
    }

    private static double star(Point at) {
        double sector = 2 * Math.PI / 5;
        // Folds the plane onto half a sector around the upper tip; there the edge is one line, from tip to notch.
        double turned = Math.atan2(at.x, -at.y) + sector / 2;
        double angle = Math.abs(turned - sector * Math.floor(turned / sector) - sector / 2);
        double along = at.distance() * Math.cos(angle);
        double across = at.distance() * Math.sin(angle);
        double tip = 1.1 * at.radius;
        double notch = .46 * at.radius;
        double edgeAlong = notch * Math.cos(sector / 2) - tip;
        double edgeAcross = notch * Math.sin(sector / 2);
        return (edgeAcross * (along - tip) - edgeAlong * across) / Math.hypot(edgeAlong, edgeAcross);
    }

    private static double cross(Point at) {
        double x = Math.abs(at.x);
        double y = Math.abs(at.y);
        double arm = .34 * at.radius;
        return Math.min(Math.max(x - at.radius, y - arm), Math.max(y - at.radius, x - arm));
    }

    private static double heart(Point at) {
        double x = 1.15 * at.x / at.radius;
        double y = 1.15 * (.12 - at.y / at.radius);
        return .35 * at.radius * Math.cbrt(Math.pow(x * x + y * y - 1, 3) - x * x * y * y * y);
    }

    /**
     * How much of each pixel it covers, 0 to 1, row after row.
     *
     * @param middleX of the shape, in pixels from the left edge of the picture
     * @param middleY likewise, from above
     */
    double[] coverage(double middleX, double middleY, double radius) {
        double[] covered = new double[Scene.PIXELS * Scene.PIXELS];
        for (int row = 0; row < 2 * Scene.PIXELS; row++) {
            for (int column = 0; column < 2 * Scene.PIXELS; column++) {
                double outside = edge.applyAsDouble(
                    new Point((column + .5) / 2 - middleX, (row + .5) / 2 - middleY, radius));
                covered[row / 2 * Scene.PIXELS + column / 2] += Math.clamp(.5 - 2 * outside, 0, 1) / 4;
            }
        }
        return covered;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
