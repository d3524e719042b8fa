package dev.slipstream.pipelines.diffusion.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClassNamesTest {
    private static ClassNames names(String json) {
        return new ClassNames(1000, List.of(new ConfigFile(Path.of("model_index.json"),
            JsonParser.parseString(json).getAsJsonObject())));
    }

    private static final ClassNames FEW = names("""
        {"0": "tench, Tinca tinca", "134": "crane", "517": "crane", "207": "golden retriever",
         "205": "flat-coated retriever"}""");

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"0 | 0", "999 | 999", "tench | 0", "Tinca Tinca | 0",
        "tench, Tinca tinca | 0", "golden retriever | 207", "' Golden Retriever ' | 207"})
    void aClassIsFoundByNumberAndByEachOfItsNames(String wanted, int number) {
        assertEquals(number, FEW.number(wanted));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "crane | several classes are called \"crane\": 134, 517; say the number",
        "a retriever | this model draws classes, and there is no class \"a retriever\"; say a number from 0 to 999 "
            + "or a name such as golden retriever, flat-coated retriever",
        "1000 | this model draws classes, and there is no class \"1000\"; say a number from 0 to 999 or a name such as "
            + "tench, crane, golden retriever, flat-coated retriever"}, quoteCharacter = '\'')
    void whatIsNoClassOrSeveralIsRefusedWithThoseThatAreMeant(String wanted, String message) {
        assertEquals(message, assertThrows(RequestException.class, () -> FEW.number(wanted)).getMessage());
    }

    @Test
    void withoutNamesNumbersAreTaken() {
        ClassNames none = new ClassNames(10, List.of());
        assertEquals(9, none.number("9"));
        assertEquals("this model draws classes, and there is no class \"cat\"; say a number from 0 to 9, as it has no "
            + "names for them", assertThrows(RequestException.class, () -> none.number("cat")).getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"1000\": \"cat\"}", "{\"-1\": \"cat\"}", "{\"cat\": \"1\"}", "{\"1\": 5}"})
    void damagedNamesAreRefused(String json) {
        assertThrows(ModelException.class, () -> names(json));
    }
}
