package dev.slipstream.samples.world;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Prompts of the sample model's world as many people might ask for them. Of {@value #SCENES} scenes, popular by Zipf's
 * law with exponent 1, each request takes one; then of 100
 *
 * <ul>
 * <li>70 tell it otherwise: "the large red star on the left on the blue background", one of ten of these the background
 *     first. Some may be in words that the model does not know: "a big red star at the left on the blue backdrop";
 * <li>15 take the caption that the model was trained with, so that many are the same prompt once more;
 * <li>10 ask for a scene that differs in one attribute, half of them told otherwise;
 * <li>5 swap the two colours, likewise.
 * </ul>
 *
 * <p>Each request has a seed of its own. The same number draws the same requests.
 */
final class Traffic {
    static final int SCENES = 40;

    private final int unknown;
    private final Random random;
    private final List<Scene> scenes;

    /** @param unknown so many of 100 requests are in words that the model does not know, at most 70 */
    Traffic(long number, int unknown) {
        this.unknown = unknown;
        random = new Random(number);
        scenes = Stream.generate(() -> Scene.random(random)).distinct().limit(SCENES).toList();
    }

    enum Kind {
        TOLD_OTHERWISE, UNKNOWN_WORDS, CAPTION, ONE_DIFFERS, SWAPPED
    }

    /** @param scene that the prompt asks for */
    record Ask(Kind kind, Scene scene, String prompt, long seed) {
    }

    List<Ask> asks(int count) {
        List<Ask> asks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Scene scene = scenes.get(popular());
            int lot = random.nextInt(100);
            Kind kind = lot < 70 - unknown ? Kind.TOLD_OTHERWISE : lot < 70 ? Kind.UNKNOWN_WORDS
                : lot < 85 ? Kind.CAPTION : lot < 95 ? Kind.ONE_DIFFERS : Kind.SWAPPED;
            Scene wanted = switch (kind) {
                case TOLD_OTHERWISE, UNKNOWN_WORDS, CAPTION -> scene;
                case ONE_DIFFERS -> differing(scene);
                case SWAPPED -> new Scene(scene.size(), scene.background(), scene.shape(), scene.place(),
                    scene.color());
            };
            String prompt = switch (kind) {
                case TOLD_OTHERWISE -> toldOtherwise(wanted);
                case UNKNOWN_WORDS -> inUnknownWords(toldOtherwise(wanted));
                case CAPTION -> wanted.caption();
                case ONE_DIFFERS, SWAPPED -> random.nextBoolean() ? wanted.caption() : toldOtherwise(wanted);
            };
            asks.add(new Ask(kind, wanted, prompt, 1000 + i));
        }
        return asks;
    }

    private int popular() {
        double all = 0;
        for (int rank = 1; rank <= SCENES; rank++) {
            all += 1.0 / rank;
        }
        double lot = random.nextDouble(all);
        int rank = 1;
        while (rank < SCENES && (lot -= 1.0 / rank) >= 0) {
            rank++;
        }
        return rank - 1;
    }

    private Scene differing(Scene scene) {
        Scene other;
        do {
            Scene any = Scene.random(random);
            other = switch (random.nextInt(5)) {
                case 0 -> new Scene(any.size(), scene.color(), scene.shape(), scene.place(), scene.background());
                case 1 -> new Scene(scene.size(), any.color(), scene.shape(), scene.place(), scene.background());
                case 2 -> new Scene(scene.size(), scene.color(), any.shape(), scene.place(), scene.background());
                case 3 -> new Scene(scene.size(), scene.color(), scene.shape(), any.place(), scene.background());
                default -> new Scene(scene.size(), scene.color(), scene.shape(), scene.place(), any.background());
            };
        } while (other.equals(scene) || other.color() == other.background());
        return other;
    }

    private String toldOtherwise(Scene scene) {
        String thing = any("a|the") + " " + Scene.word(scene.size()) + " " + scene.color().word() + " "
            + scene.shape().word();
        String place = any("at|on") + " the " + Scene.word(scene.place());
        String background = "on " + any("a|the") + " " + scene.background().word() + " background";
        return thing + " " + (random.nextInt(10) > 0 ? place + " " + background : background + " " + place);
    }

    private String inUnknownWords(String prompt) {
        String other = prompt;
        while (other.equals(prompt)) {
            other = prompt.replace("large", any("large|big|huge")).replace("small", any("small|little|tiny"))
                .replace("center", any("center|centre|middle")).replace("background", any("background|backdrop"));
        }
        return other;
    }

    private String any(String words) {
        List<String> all = Arrays.asList(words.split("\\|"));
        return all.get(random.nextInt(all.size()));
    }
}
