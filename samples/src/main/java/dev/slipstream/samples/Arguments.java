package dev.slipstream.samples;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The words of the command line. Java reads them in the characters of the locale; without one those are ASCII alone,
 * and what a prompt has beyond is lost. Linux still has the bytes.
 */
final class Arguments {
    private static final Path BYTES = Path.of("/proc/self/cmdline");

    private Arguments() {
    }

    /** The words, with all their characters where they can be had. @param args as Java has them */
    static String[] whole(String... args) {
        try {
            return System.getProperty("sun.jnu.encoding", "").equals("ANSI_X3.4-1968")
                ? whole(Files.readAllBytes(BYTES), args) : args;
        } catch (IOException notLinux) {
            return args;
        }
    }

    /** @param line of the process: words in UTF-8, a NUL after each; the last ones are {@code args} */
    static String[] whole(byte[] line, String... args) {
        List<String> words = List.of(new String(line, StandardCharsets.UTF_8).split("\0", -1));
        int first = words.size() - 1 - args.length;
        for (int index = 0; index < args.length; index++) {
            // Those that Java reads from files stand in none of the places.
            if (first < 0 || isAscii(words.get(first + index)) && !words.get(first + index).equals(args[index])) {
                return args;
            }
        }
        return words.subList(first, words.size() - 1).toArray(String[]::new);
    }

    private static boolean isAscii(String word) {
        return word.chars().allMatch(c -> c < 128);
    }
}
