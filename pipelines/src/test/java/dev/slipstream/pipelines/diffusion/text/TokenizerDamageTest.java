package dev.slipstream.pipelines.diffusion.text;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerDamageTest {
    private static final Pattern SCALAR = Pattern.compile("\"[^\"]*\"|-?\\d+|true|false|null");
    private static final List<String> OTHERS =
        List.of("null", "0", "-1", "99999999999", "\"\"", "{}", "[]", "true", "1e9", "\"x\"", "3", "\"##\"");

    @TempDir
    private Path path;
    private TokenizerFolder folder;

    @BeforeEach
    void makeFolder() {
        folder = new TokenizerFolder(path);
    }

    private void assertRefused(String... expected) {
        String message = assertThrows(ModelException.class, () -> Tokenizer.open(path).close()).getMessage();
        for (String part : expected) {
            assertTrue(message.contains(part), () -> "\"" + part + "\" should be in: " + message);
        }
    }

    @Test
    void saysWhatIsMissing() throws IOException {
        assertRefused(path.toString(), "tokenizer.json, or vocab.json and merges.txt");
        folder.withClip(10);
        Files.delete(path.resolve("merges.txt"));
        assertRefused("vocab.json and merges.txt");
    }

    @Test
    void saysWhatIsWrongInATokenizerJson() throws IOException {
        folder.put("tokenizer.json", "{\"model\": ");
        assertRefused("tokenizer.json is not valid JSON", "ends too early");
        folder.put("tokenizer.json", "{\"model\": {}, \"padding\": {\"pad_id\": 0}}");
        assertRefused("tokenizer.json: \"vocab\" is missing");
        folder.put("tokenizer.json", "{}");
        assertRefused("\"model\" is missing");
        folder.withWords("{\"type\": \"Unheard\"}");
        assertRefused("unknown type, \"Unheard\"");
        folder.withWords(TokenizerFolder.TEMPLATE.replace("\"<eos>\": {", "\"other\": {"));
        assertRefused("\"special_tokens\" must have <eos>");
        folder.withWords("{\"type\": \"RobertaProcessing\", \"cls\": [\"<bos>\"]}");
        assertRefused("\"cls\" must be a token and its id");
    }

    @Test
    void saysWhatIsWrongInTheConfiguration() throws IOException {
        folder.withWords(TokenizerFolder.TEMPLATE);
        folder.put("tokenizer_config.json", "{\"pad_token\": \"[PAD]\"}");
        assertRefused("pads with [PAD], which is not in its vocabulary");
        folder.put("tokenizer_config.json", "{\"model_max_length\": 2}");
        assertRefused("2 tokens, but needs 2 for start and end");
        folder.put("tokenizer_config.json", "{\"model_max_length\": \"many\"}");
        assertRefused("\"model_max_length\" must be a number");
        folder.put("tokenizer_config.json", "{\"padding_side\": \"left\"}");
        assertRefused("\"padding_side\" is not \"right\"");
    }

    @Test
    void saysWhatIsWrongInClipsFiles() throws IOException {
        folder.withClip(10);
        folder.put("merges.txt", "#version: 0.2\nr e\nre d x\n");
        assertRefused("merges.txt, line 3");
        folder.put("merges.txt", "x yz\n");
        assertRefused("vocab.json: \"merges\" has \"yz\", which is not in the vocabulary");
        folder.put("vocab.json", "{\"a\": 0}");
        assertRefused("vocab.json has no token <|startoftext|>");
    }

    @Test
    void refusesPrefixesOfPiecesInBytePairs() throws IOException {
        folder.put("tokenizer.json", """
            {"version": "1.0", "model": {"type": "BPE", "continuing_subword_prefix": "##",
             "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}""");
        assertRefused("continuing_subword_prefix");
    }

    @Test
    void damageIsRefusedOrHarmless() throws IOException {
        folder.withWords(TokenizerFolder.TEMPLATE);
        String good = Files.readString(path.resolve("tokenizer.json"));
        int refused = 0;
        for (int seed = 0; seed < 800; seed++) {
            folder.put("tokenizer.json", damaged(good, new Random(seed)));
            try (Tokenizer tokenizer = Tokenizer.open(path)) {
                tokenizer.encode("a red star, don't");
            } catch (ModelException e) {
                refused++;
            }
        }
        assertTrue(refused > 250 && refused < 800, refused + " of 800 were refused");
    }

    private static String damaged(String json, Random random) {
        StringBuilder result = new StringBuilder(json);
        for (int change = random.nextInt(3); change >= 0; change--) {
            List<MatchResult> scalars = new ArrayList<>(SCALAR.matcher(result).results().toList());
            MatchResult scalar = scalars.get(random.nextInt(scalars.size()));
            result.replace(scalar.start(), scalar.end(), OTHERS.get(random.nextInt(OTHERS.size())));
        }
        return result.toString();
    }
}
