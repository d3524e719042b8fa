package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.tokenizer.TokenizerKinds;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/** Tokenizer folders of which one file is damaged, with random prompts; each is read, or refused in a sentence. */
class TokenizerFuzzTest {
    private static final List<String> TOKENS = List.of("a", "red", "\u00E9", "e\u0301", " ", "\n", "\u3000", "'s", "!",
        "<|endoftext|>", "<cat>", "\uD83D\uDE00", "\uD83D", "\u0316\u0300", "\u1161", "\uFDFA", "\u4E2D", "\0", "42");

    @TempDir
    private Path folder;

    @Test
    void damagedTokenizersAreReadOrRefused(TestReporter reporter) throws IOException, InterruptedException {
        List<Map<String, String>> seeds = TokenizerKinds.folders();
        // Room for the longest text that is allowed, and for steps that make it longer.
        Fuzz.Outcome outcome = new Fuzz("tokenizers", 256 << 20, 1000).run(Fuzz.tries(500),
            random -> damaged(seeds.get(random.nextInt(seeds.size())), random), this::read);
        reporter.publishEntry("fuzz tokenizers", outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > 0, outcome::toString);
    }

    /** All files of a folder in one, each with its name before it, and the prompt as the last. */
    private static byte[] damaged(Map<String, String> files, Random random) {
        List<String> names = List.copyOf(files.keySet());
        String broken = names.get(random.nextInt(names.size()));
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        files.forEach((name, text) -> write(all, name, name.equals(broken) ? damaged(name, text, random)
            : text.getBytes(StandardCharsets.UTF_8)));
        write(all, "prompt", prompt(random).getBytes(StandardCharsets.UTF_16BE));
        return all.toByteArray();
    }

    private static byte[] damaged(String name, String text, Random random) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (!name.endsWith(".json") || random.nextInt(3) == 0) {
            return ByteDamage.damage(bytes, bytes, random);
        }
        JsonObject json = JsonParser.parseString(text).getAsJsonObject();
        // Most of a file is its vocabulary; the steps before it are to have their share.
        JsonElement model = random.nextBoolean() ? json.remove("model") : null;
        for (int change = random.nextInt(3); change >= 0; change--) {
            JsonDamage.damage(json, random);
        }
        if (model != null) {
            json.add("model", model);
        }
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String prompt(Random random) {
        StringBuilder prompt = new StringBuilder();
        int pieces = random.nextInt(12);
        for (int i = 0; i < pieces; i++) {
            String token = TOKENS.get(random.nextInt(TOKENS.size()));
            prompt.append(random.nextInt(16) == 0 ? token.repeat(random.nextInt(1, 3000)) : token);
        }
        return prompt.substring(0, Math.min(prompt.length(), 1 << 16));
    }

    private static void write(ByteArrayOutputStream all, String name, byte[] content) {
        all.writeBytes((name + '\n' + content.length + '\n').getBytes(StandardCharsets.UTF_8));
        all.writeBytes(content);
    }

    private void read(byte[] all) throws IOException {
        for (String old : List.of("tokenizer.json", "vocab.json", "merges.txt", "added_tokens.json",
            "tokenizer_config.json", "special_tokens_map.json")) {
            Files.deleteIfExists(folder.resolve(old));
        }
        String prompt = "";
        for (int at = 0; at < all.length; ) {
            int name = next(all, at);
            int length = next(all, name + 1);
            int size = Integer.parseInt(new String(all, name + 1, length - name - 1, StandardCharsets.UTF_8));
            byte[] content = Arrays.copyOfRange(all, length + 1, length + 1 + size);
            if (new String(all, at, name - at, StandardCharsets.UTF_8).equals("prompt")) {
                prompt = new String(content, StandardCharsets.UTF_16BE);
            } else {
                Files.write(folder.resolve(new String(all, at, name - at, StandardCharsets.UTF_8)), content);
            }
            at = length + 1 + size;
        }
        try (Tokenizer tokenizer = Tokenizer.open(folder, OptionalInt.of(77))) {
            tokenizer.encode(prompt).chunks();
        } catch (RequestException refused) {
            assertTrue(!refused.getMessage().isBlank(), "it must say what is wrong");
        }
    }

    private static int next(byte[] all, int from) {
        int at = from;
        while (all[at] != '\n') {
            at++;
        }
        return at;
    }
}
