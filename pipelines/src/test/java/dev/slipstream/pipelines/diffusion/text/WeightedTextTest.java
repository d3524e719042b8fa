package dev.slipstream.pipelines.diffusion.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.pipelines.model.RequestException;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WeightedTextTest {
    private static String parsed(String prompt) {
        return WeightedText.parse(prompt).stream()
            .map(piece -> String.format(Locale.ROOT, "<%s>%.4f", piece.text(), piece.weight()))
            .collect(Collectors.joining(" "));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        a red star                 | <a red star>1.0000
        a (red) star               | <a >1.0000 <red>1.1000 < star>1.0000
        a (red:1.3) star           | <a >1.0000 <red>1.3000 < star>1.0000
        a [red] star               | <a >1.0000 <red>0.9091 < star>1.0000
        ((red))                    | <red>1.2100
        (a (red:2) star:0.5)       | <a >0.5000 <red>1.0000 < star>0.5000
        [(red)]                    | <red>1.0000
        (red: 1.5 )                | <red>1.5000
        (red:.5)(star:2.)          | <red>0.5000 <star>2.0000
        (red:-1)                   | <red>-1.0000
        a \\(red\\) \\[star\\] \\\\ | <a (red) [star] \\>1.0000
        (\\(red\\):1.5)            | <(red)>1.5000
        a \\red                    | <a \\red>1.0000
        a (red star                | <a >1.0000 <red star>1.1000
        a [red (star               | <a >1.0000 <red >0.9091 <star>1.0000
        a red) star]               | <a red) star]>1.0000
        (red]                      | <red]>1.1000
        time: 12:30                | <time: 12:30>1.0000
        (time: noon)               | <time: noon>1.1000
        [red:1.5]                  | <red:1.5>0.9091
        (red:1.2.3)                | <red:1.2.3>1.1000
        (red:1.5                   | <red:1.5>1.1000
        (a)(b)                     | <ab>1.1000
        ()                         | <>1.0000
        (:2)                       | <>1.0000
        """)
    void readsTheNotationOfPopularUserInterfaces(String prompt, String expected) {
        assertEquals(expected, parsed(prompt));
    }

    @Test
    void anEmptyPromptIsOneEmptyPiece() {
        assertEquals("<>1.0000", parsed(""));
    }

    @Test
    void refusesBracketsWithoutEnd() {
        assertThrows(RequestException.class, () -> WeightedText.parse("(".repeat(33)));
        assertEquals(1, WeightedText.parse("(".repeat(32) + "a").size());
        String huge = "(".repeat(5) + "a" + ":999999999)".repeat(5);
        assertThrows(RequestException.class, () -> WeightedText.parse(huge));
    }
}
