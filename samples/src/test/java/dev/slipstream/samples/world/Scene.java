package dev.slipstream.samples.world;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.Locale;
import java.util.random.RandomGenerator;

/** What a picture of the sample model shows, as {@code samples/training/data.py} has it. */
record Scene(Size size, Color color, Shape shape, Place place, Color background) {
    /** Width and height of a picture. */
    static final int PIXELS = 32;

    enum Size {
        SMALL(5), LARGE(8.5);

        private final double radius;

        Size(double radius) {
            this.radius = radius;
        }

        double radius() {
            return radius;
        }
    }

    enum Place {
        LEFT(-1, 0), RIGHT(1, 0), TOP(0, -1), BOTTOM(0, 1), CENTER(0, 0);

        private final int right;
        private final int down;

        Place(int right, int down) {
            this.right = right;
            this.down = down;
        }

        /** Where the middle of a shape lies, in pixels from the upper left corner. */
        double[] middle(double radius) {
            double reach = PIXELS / 2.0 - 1.12 * radius - 1;
            return new double[] {PIXELS / 2.0 + reach * right, PIXELS / 2.0 + reach * down};
        }
    }

    static Scene random(RandomGenerator random) {
        int color = random.nextInt(Color.values().length);
        int other = random.nextInt(Color.values().length - 1);
        return new Scene(any(Size.values(), random), Color.values()[color], any(Shape.values(), random),
            any(Place.values(), random), Color.values()[other < color ? other : other + 1]);
    }

    private static <T> T any(T[] values, RandomGenerator random) {
        return values[random.nextInt(values.length)];
    }

    /** In the words that the model was trained with. */
    String caption() {
        return "a " + word(size) + " " + color.word() + " " + shape.word() + " at the " + word(place) + " on a "
            + background.word() + " background";
    }

    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** A picture of it, not quite the same each time. */
    Image render(RandomGenerator random) {
        double radius = size.radius() * random.nextDouble(.92, 1.08);
        double[] middle = place.middle(radius);
        double[] covered = shape.coverage(middle[0] + random.nextDouble(-.8, .8), middle[1]
            + random.nextDouble(-.8, .8), radius);
        double front = random.nextDouble(.92, 1.05);
        double back = random.nextDouble(.92, 1.05);
        byte[] rgb = new byte[3 * covered.length];
        for (int i = 0; i < covered.length; i++) {
            double y = i / PIXELS + .5;
            double onFront = front * (1.06 - .16 * ((y - middle[1]) / radius * .5 + .5));
            double onBack = back * (1.04 - .22 * y / PIXELS);
            for (int channel = 0; channel < 3; channel++) {
                double light = covered[i] * onFront * color.channel(channel)
                    + (1 - covered[i]) * onBack * background.channel(channel);
                rgb[3 * i + channel] = (byte) Math.round(255 * Math.clamp(light, 0, 1));
            }
        }
        return Image.of(PIXELS, PIXELS, rgb);
    }
}
