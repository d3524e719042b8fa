package dev.slipstream.samples.world;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.samples.world.Scene.Place;
import dev.slipstream.samples.world.Scene.Size;
import java.util.ArrayList;
import java.util.List;

/**
 * Says what a picture shows, as {@code samples/training/evaluate.py} does: of templates of every shape, size and place,
 * slightly moved and scaled, the one that explains the picture best with two flat colours, which are named by the
 * nearest one. Immutable.
 */
final class Recognizer {
    private static final double[] SCALES = {.94, 1, 1.06};
    private static final double[] MOVES = {-.7, 0, .7};

    private final List<Template> templates = new ArrayList<>();

    Recognizer() {
        for (Size size : Size.values()) {
            for (Shape shape : Shape.values()) {
                for (Place place : Place.values()) {
                    for (double scale : SCALES) {
                        double radius = size.radius() * scale;
                        double[] middle = place.middle(radius);
                        for (double moveX : MOVES) {
                            for (double moveY : MOVES) {
                                templates.add(Template.of(size, shape, place,
                                    shape.coverage(middle[0] + moveX, middle[1] + moveY, radius)));
                            }
                        }
                    }
                }
            }
        }
    }

    /** What a picture of 32 x 32 pixels shows. */
    Scene recognize(Image picture) {
        byte[] rgb = picture.rgb();
        double[][] channels = new double[3][rgb.length / 3];
        for (int i = 0; i < rgb.length; i++) {
            channels[i % 3][i / 3] = (rgb[i] & 0xff) / 255.0;
        }
        Fit best = templates.getFirst().fit(channels);
        for (Template template : templates) {
            Fit fit = template.fit(channels);
            best = fit.explained > best.explained ? fit : best;
        }
        return new Scene(best.template.size, Color.nearest(best.front), best.template.shape, best.template.place,
            Color.nearest(best.back));
    }

    /** A template with the two flat colours that suit a picture best. */
    private record Fit(Template template, double[] front, double[] back, double explained) {
    }

    /**
     * @param both sum of the squares of what it covers
     * @param mixed sum of the products of what it covers and what it leaves
     * @param left sum of the squares of what it leaves
     */
    private record Template(Size size, Shape shape, Place place, double[] covered, double both, double mixed,
        double left) {

        static Template of(Size size, Shape shape, Place place, double[] covered) {
            double both = 0;
            double mixed = 0;
            double left = 0;
            for (double part : covered) {
                both += part * part;
                mixed += part * (1 - part);
                left += (1 - part) * (1 - part);
            }
            return new Template(size, shape, place, covered, both, mixed, left);
        }

        /** Least squares for pixels = covered * front + (1 - covered) * back. */
        Fit fit(double[][] channels) {
            double determinant = both * left - mixed * mixed;
            double[] front = new double[channels.length];
            double[] back = new double[channels.length];
            double explained = 0;
            for (int channel = 0; channel < channels.length; channel++) {
                double all = 0;
                double inside = 0;
                for (int i = 0; i < covered.length; i++) {
                    all += channels[channel][i];
                    inside += covered[i] * channels[channel][i];
                }
                double outside = all - inside;
                front[channel] = (left * inside - mixed * outside) / determinant;
                back[channel] = (both * outside - mixed * inside) / determinant;
                explained += front[channel] * inside + back[channel] * outside;
            }
            return new Fit(this, front, back, explained);
        }
    }
}
