package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.OptionalInt;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordingTest {
    private static final Vocabulary ENGLISH = Vocabulary.english();
    private static final Salt SALT = new Salt(Salt.random());

    private static OptionalInt extra(String one, String other) {
        return wording(one).extraWords(wording(other));
    }

    private static Wording wording(String prompt) {
        return Wording.of(prompt, ENGLISH, SALT);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        a large red star on a blue background | a big red star on a blue background
        a large red star on a blue background | A  LARGE red star, on the blue background
        a large red star on a blue background | a red large star against a blue backdrop
        a small star at the left              | a little star on the left side
        a large red star on a blue background | on a blue background, a large red star
        a large red star on a blue background | on a blue background a large red star
        a red star at the left on a blue background | a red star on a blue background at the left
        a blue-green ring                     | a blue green ring
        an image of a cat                     | the cat
        a café                                | A CAFÉ
        """)
    void paraphrasesSayTheSame(String one, String other) {
        assertEquals(OptionalInt.of(0), extra(one, other));
        assertEquals(OptionalInt.of(0), extra(other, one));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        a large red star on a blue background | a large blue star on a red background
        a large red star on a blue background | a large green star on a blue background
        a large red star on a blue background | a large red square on a blue background
        a large red star on a blue background | a small red star on a blue background
        a red star and a blue square          | a blue star and a red square
        a red star and a blue square          | a red square and a blue star
        a cat on a dog                        | a dog on a cat
        a cat under a table                   | a cat on a table
        a star with a ring                    | a star without a ring
        a red star on a background            | a star on a red background
        two stars                             | three stars
        a red star at the left and a ring at the right | a ring at the left and a red star at the right
        a red star at the left and a ring at the right | at the right a red star and at the left a ring
        a red star on a blue background | on a red background, a blue star
        """)
    void whatSaysSomethingElseNeverMatches(String one, String other) {
        assertEquals(OptionalInt.empty(), extra(one, other));
        assertEquals(OptionalInt.empty(), extra(other, one));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        a red star                            | a large red star                      | 1
        a red star                            | a red star on a blue background       | 2
        a star                                | a large red star at the top           | 3
        """)
    void wordsThatOneLacksAreCounted(String one, String other, int words) {
        assertEquals(OptionalInt.of(words), extra(one, other));
        assertEquals(OptionalInt.of(words), extra(other, one));
    }

    @Test
    void anotherFolderHasOtherHashes() {
        Wording other = Wording.of("a red star", ENGLISH, new Salt(Salt.random()));
        assertEquals(OptionalInt.empty(), wording("a red star").extraWords(other));
    }

    @Property
    void aPromptSaysWhatItSays(@ForAll("prompts") String prompt) {
        assertEquals(OptionalInt.of(0), extra(prompt, prompt));
    }

    @Property
    void whoComparesDoesNotMatter(@ForAll("prompts") String one, @ForAll("prompts") String other) {
        assertEquals(extra(one, other), extra(other, one));
    }

    @Property
    void swappedColoursAndThingsNeverMatch(@ForAll("colours") String first, @ForAll("colours") String second,
            @ForAll("things") String thing, @ForAll("things") String another) {
        Assume.that(!first.equals(second));
        assertEquals(OptionalInt.empty(), extra("a " + first + " " + thing + " on a " + second + " background",
            "a " + second + " " + thing + " on a " + first + " background"));
        Assume.that(!thing.equals(another));
        assertEquals(OptionalInt.empty(), extra("a " + first + " " + thing + " and a " + second + " " + another,
            "a " + first + " " + another + " and a " + second + " " + thing));
    }

    @Property
    void anyTextHasAWording(@ForAll String text) {
        assertEquals(OptionalInt.of(0), extra(text, text));
    }

    @Provide
    Arbitrary<String> colours() {
        return Arbitraries.of("red", "green", "blue", "yellow", "purple", "black", "white", "grey");
    }

    @Provide
    Arbitrary<String> things() {
        return Arbitraries.of("star", "square", "ring", "heart", "cross", "triangle");
    }

    @Provide
    Arbitrary<String> prompts() {
        Arbitrary<String> word = Arbitraries.oneOf(colours(), things(),
            Arbitraries.of("a", "on", "with", ",", "and", "large", "big", "background", "left"));
        return word.list().ofMaxSize(12).map(words -> String.join(" ", words));
    }

    /** A shape of the sample model's world. */
    @Property
    void sizesAndPlacesCount(@ForAll("scenes") List<String> one, @ForAll("scenes") List<String> other) {
        assertEquals(one.equals(other) ? OptionalInt.of(0) : OptionalInt.empty(), extra(scene(one), scene(other)));
    }

    private static String scene(List<String> words) {
        return "a %s %s %s at the %s on a %s background".formatted(words.toArray());
    }

    @Provide
    Arbitrary<List<String>> scenes() {
        return Combinators.combine(Arbitraries.of("small", "large"), colours(), things(),
            Arbitraries.of("left", "right", "top", "bottom"), colours()).as(List::of);
    }
}
