package dev.slipstream.samples.terminal;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.SlipstreamException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine;

/**
 * What is wrong, on the standard error output: a line for people, or a line of JSON where results are JSON, too. Any
 * thread may use it.
 */
public final class Complaints {
    private static final String NAME = "slipstream: ";
    private static final String JSON = "--json";

    private final PrintWriter err;
    private final boolean json;

    /** @param json whether programs read what is printed */
    public Complaints(PrintWriter err, boolean json) {
        this.err = err;
        this.json = json;
    }

    /** Those of a command: JSON if its results are. @param args all words of the command line */
    static Complaints of(CommandLine line, List<String> args) {
        OptionSpec option = line.getCommandSpec().optionsMap().get(JSON);
        return new Complaints(line.getErr(), (option == null || option.arity().max() == 0) && isJson(args));
    }

    /** Whether results are asked for as JSON. @param args all words of the command line */
    public static boolean isJson(List<String> args) {
        int end = args.indexOf("--");
        return (end < 0 ? args : args.subList(0, end)).contains(JSON);
    }

    /**
     * Why the process ends.
     *
     * @param code with which it ends; null if that depends on a signal
     * @param failure that ends it; null if none was thrown
     * @param traced whether to print its trace, for those who look for its cause
     */
    void error(String sentence, Integer code, Throwable failure, boolean traced) {
        if (json) {
            JsonObject error = new JsonObject();
            error.addProperty("message", sentence);
            if (code != null) {
                error.addProperty("exit_code", code);
            }
            Throwable reason = failure;
            while (reason != null && !(reason instanceof SlipstreamException)) {
                reason = reason.getCause();
            }
            if (reason instanceof SlipstreamException known) {
                error.addProperty("fault", known.fault().name());
                error.addProperty("retryable", known.retryable());
            }
            if (traced) {
                StringWriter text = new StringWriter();
                failure.printStackTrace(new PrintWriter(text, true));
                error.addProperty("trace", text.toString());
            }
            print("error", error);
        } else {
            err.println(NAME + sentence);
            if (traced) {
                failure.printStackTrace(err);
            }
        }
        err.flush();
    }

    /** What happens otherwise than one may think. */
    void warning(String sentence) {
        if (json) {
            JsonObject warning = new JsonObject();
            warning.addProperty("message", sentence);
            print("warning", warning);
        } else {
            err.println(NAME + "warning: " + Printable.line(sentence));
        }
        err.flush();
    }

    private void print(String kind, JsonObject what) {
        JsonObject line = new JsonObject();
        line.add(kind, what);
        err.println(Json.line(line));
    }
}
