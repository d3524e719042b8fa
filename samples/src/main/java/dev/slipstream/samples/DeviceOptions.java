package dev.slipstream.samples;

import dev.slipstream.pipelines.plan.AsyncDiff;
import dev.slipstream.pipelines.plan.CfgSplit;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.pipelines.plan.Strategies;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Where to run, and by which plan. What is not said is chosen to fit the rest. */
public final class DeviceOptions {
    private static final int MOST_DEVICES = 256;
    private static final String ASYNCHRONOUS = "asyncdiff:warmup=3";

    @Option(names = "--plan", paramLabel = "SPEC", order = 2,
        description = {"Which segment runs where, and on how old values:",
            "sequential: exact; cfg-split: exact, a guidance branch on each of 2 devices; asyncdiff: segments at the "
                + "same time, on values of the step before, with settings after a colon: n=2,warmup=1,tail=0,"
                + "stride=1,form=reuse|paper,shift,cut=NAME,staleness=pipelined|reference.",
            "Without it asyncdiff:warmup=3, or sequential on one device."})
    private String plan;

    @Option(names = "--devices", paramLabel = "LIST|N", order = 3,
        description = "Devices in the plan's order, like cpu:1,cpu:1 (cpu:THREADS, cuda:NUMBER); or N for that many "
            + "one-thread CPU devices. Without it as many of those as the plan needs.")
    private String devices;

    /** The plan as {@link Strategies#parse} reads it. */
    public String plan() {
        if (plan != null) {
            return plan;
        }
        int count = devices != null ? devices().length : Math.min(2, Runtime.getRuntime().availableProcessors());
        return count > 1 ? ASYNCHRONOUS : "sequential";
    }

    /** The devices as {@link dev.slipstream.bridge.DeviceSpec#parse} reads them. */
    public String[] devices() {
        if (devices == null) {
            return threads(switch (Strategies.parse(plan())) {
                case Sequential exact -> 1;
                case CfgSplit branches -> 2;
                case AsyncDiff asynchronous -> Math.max(2, asynchronous.parts());
            });
        }
        String text = devices.strip();
        if (text.matches("\\d+")) {
            // More digits than any number of devices has.
            return threads(text.length() > 6 ? Integer.MAX_VALUE : Integer.parseInt(text));
        }
        String[] specs = Stream.of(text.split(",", -1)).map(String::strip).toArray(String[]::new);
        if (List.of(specs).contains("")) {
            throw new InputException("a device of the list '" + text + "' is empty; write them like cpu:1,cpu:1");
        }
        return specs;
    }

    private String[] threads(int count) {
        if (count < 1 || count > MOST_DEVICES) {
            throw new InputException("--devices takes 1 to " + MOST_DEVICES + " devices, not "
                + (devices == null ? count : devices)
                + "; most plans use 2 to 4");
        }
        return Collections.nCopies(count, "cpu:1").toArray(String[]::new);
    }
}
