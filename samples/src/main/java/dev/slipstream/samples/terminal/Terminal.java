package dev.slipstream.samples.terminal;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** The standard streams and the arguments of a command. All text that is written passes {@link Printable}. */
public final class Terminal {
    private static final String WIPE = "\r\033[K";
    /** The words of the command line as Linux has them. */
    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");
    private static final String SCREEN = "/dev/(pts/\\d+|tty.*|console)";
    private static final int MOST_BYTES = 1 << 20;

    private final PrintWriter out;
    private final PrintWriter err;
    private final Writer screen;
    private final BooleanSupplier watched;
    private final Surroundings surroundings;

    /**
     * What a process has beside texts.
     *
     * @param in the standard input
     * @param out the standard output as bytes, for results that are no text
     * @param outWatched whether {@code out} is a terminal
     * @param environment variables
     */
    public record Surroundings(InputStream in, OutputStream out, BooleanSupplier outWatched,
        Map<String, String> environment) {
        /** Nothing to read, nobody who reads, no variables. */
        public static final Surroundings NONE =
            new Surroundings(InputStream.nullInputStream(), OutputStream.nullOutputStream(), () -> false, Map.of());
    }

    /**
     * @param out results
     * @param err complaints, progress
     * @param watched whether {@code err} is a terminal, so that progress is worth drawing; asked late, as it takes
     *     time
     */
    public Terminal(Writer out, Writer err, BooleanSupplier watched) {
        this(out, err, watched, Surroundings.NONE);
    }

    /** The same with more around it. */
    public Terminal(Writer out, Writer err, BooleanSupplier watched, Surroundings surroundings) {
        this.out = new PrintWriter(new Printable.Lines(out), true);
        this.err = new PrintWriter(new Printable.Lines(err), true);
        this.screen = err;
        this.watched = watched;
        this.surroundings = surroundings;
    }

    /** The standard streams of this process; unlike those of {@link System}, they report failures. */
    public static Terminal ofProcess() {
        return new Terminal(writer(FileDescriptor.out, System.out.charset()),
            writer(FileDescriptor.err, System.err.charset()), () -> isScreen(2), new Surroundings(
                new FileInputStream(FileDescriptor.in), new FileOutputStream(FileDescriptor.out), () -> isScreen(1),
                System.getenv()));
    }

    /** Linux says what is behind the number of a stream; elsewhere Java knows of all together. */
    private static boolean isScreen(int stream) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + stream)).toString().matches(SCREEN);
        } catch (IOException | UnsupportedOperationException notLinux) {
            return System.console() != null && System.console().isTerminal();
        }
    }

    /** Without a locale Java takes the terminal to be ASCII, but most of them are UTF-8. */
    private static Writer writer(FileDescriptor stream, Charset charset) {
        return new OutputStreamWriter(new FileOutputStream(stream),
            charset.equals(StandardCharsets.US_ASCII) ? StandardCharsets.UTF_8 : charset);
    }

    /**
     * The words of the command line with all their characters. Without a locale Java reads them as ASCII and loses the
     * other characters of a prompt; Linux still has the bytes.
     *
     * @param args as Java has them
     */
    public static String[] arguments(String... args) {
        try {
            return System.getProperty("sun.jnu.encoding", "").equals("ANSI_X3.4-1968")
                ? arguments(Files.readAllBytes(COMMAND_LINE), args) : args;
        } catch (IOException notLinux) {
            return args;
        }
    }

    /** @param line of the process: words in UTF-8, a NUL after each; the last ones are {@code args} */
    static String[] arguments(byte[] line, String... args) {
        List<String> words = List.of(new String(line, StandardCharsets.UTF_8).split("\0", -1));
        int first = words.size() - 1 - args.length;
        for (int index = 0; index < args.length; index++) {
            // Java takes arguments from files (@FILE), too, and these are not in the line.
            if (first < 0 || isAscii(words.get(first + index)) && !words.get(first + index).equals(args[index])) {
                return args;
            }
        }
        return words.subList(first, words.size() - 1).toArray(String[]::new);
    }

    private static boolean isAscii(String word) {
        return word.chars().allMatch(c -> c < 128);
    }

    public PrintWriter out() {
        return out;
    }

    public PrintWriter err() {
        return err;
    }

    /** The variables of the process. */
    public Map<String, String> environment() {
        return surroundings.environment();
    }

    /**
     * The standard output for results that are no text. Text that was printed before comes first.
     *
     * @throws InputException if it is a terminal
     */
    public OutputStream bytes() {
        if (surroundings.outWatched().getAsBoolean()) {
            throw new InputException("the standard output is a terminal, which cannot show it; send it to a file or a "
                + "program, with > or |");
        }
        out.flush();
        return surroundings.out();
    }

    /**
     * All of the standard input, as text in UTF-8.
     *
     * @throws InputException if it is none, or too much
     */
    public String read() {
        try {
            byte[] bytes = surroundings.in().readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new InputException("the standard input has more than " + Amounts.bytes(MOST_BYTES)
                    + "; give fewer prompts at a time");
            }
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException binary) {
            throw new InputException("the standard input is not UTF-8 text; give prompts in UTF-8, one a line", binary);
        } catch (IOException unreadable) {
            throw new InputException("the standard input cannot be read: " + unreadable.getMessage()
                + "; give the prompt as a word of the command line", unreadable);
        }
    }

    /** Where complaints go. @param json whether results are printed as JSON */
    public Complaints complaints(boolean json) {
        return new Complaints(err, json);
    }

    /** Prints each warning once, even if several pictures, plans or pipelines give it. Any thread may use it. */
    public Consumer<String> warnings(boolean json) {
        Complaints complaints = complaints(json);
        Set<String> printed = ConcurrentHashMap.newKeySet();
        return warning -> {
            if (printed.add(warning)) {
                complaints.warning(warning);
            }
        };
    }

    public boolean isWatched() {
        return watched.getAsBoolean();
    }

    /** Replaces the line that the cursor is on. */
    public void redraw(String line) {
        PrintWriter to = new PrintWriter(screen);
        to.print(WIPE + Printable.line(line));
        to.flush();
    }
}
