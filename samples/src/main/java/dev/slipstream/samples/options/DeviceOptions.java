package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where to run, and by which plan. An option that is missing is chosen to fit the other. */
public final class DeviceOptions {
    private static final int MOST_DEVICES = 256;
    private static final int USUAL_DEVICES = 2;
    /** The plan that is chosen for each request. */
    public static final String AUTO = "auto";

    @Option(names = "--plan", paramLabel = "SPEC", order = HelpLayout.DEVICES, completionCandidates = Plans.class,
        description = {"Which segment runs where, and on how old values:",
            "sequential: exact; cfg-split: exact, a guidance branch on each of 2 devices; asyncdiff: segments at the "
                + "same time, on values of the step before, with settings after a colon: n=2,warmup=1,tail=0,"
                + "stride=1,form=reuse|paper,shift,cut=NAME,staleness=pipelined|reference; hybridiff: cfg-split, and "
                + "asyncdiff in a window between its steps: start=12, or decide=distance where the loop finds it,"
                + "length=5,guidance=kept|none; cache: a part of the "
                + "denoiser at some steps only, on 1 device: every=3 or steps=0+2+5, or calibrated (see slipstream "
                + "calibrate),part=inner|attention|self-attention|cross-attention|all,depth=1,"
                + "form=replace|mean|residual|forecast|extrapolate,order=1,weight=0.5,warmup=3,tail=0,cut=NAME; "
                + "guidance: both of its branches at some steps only, on 1 device: start=0,stop=1,every=1,warmup=0,"
                + "keep=difference|unconditional|frequencies|none; patches: a band of the picture on each device, "
                + "U-Nets: n=2,warmup=5,norm=corrected|stale|separate|sync,portion=0.3; pipefusion: parts of a "
                + "transformer, through which patches of the picture go: parts=2,patches=2,warmup=1. "
                + "Several at once with +: cfg-split+cache.",
            "auto: the one that is predicted to be the fastest of those that --prefer allows; plan says why it was "
                + "chosen. Without it auto, or sequential on one device."})
    private String plan;

    @Mixin
    private WishOption wish;

    @Option(names = "--devices", paramLabel = "LIST|N", order = HelpLayout.DEVICES + 1,
        description = "Devices in the plan's order, like cpu:1,cpu:1 (cpu:THREADS, cuda:NUMBER; cpu:2 may be "
            + "followed by :spin=on or :spin=off, and by :cores=0-1); or N for that many one-thread CPU devices. "
            + "Without it as many of those as the plan needs, or 2 for auto.")
    private String devices;

    private static final class Plans implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Stream.concat(Stream.of(AUTO), Strategy.NAMES.stream()).iterator();
        }
    }

    /** What who asked for this plan should know of so many steps; nothing where none was asked for. */
    List<String> warnings(int steps) {
        return plan == null || isAuto() ? List.of() : Strategy.parse(plan).warnings(steps);
    }

    /** The plan as a pipeline reads it. */
    public String plan() {
        return plan != null ? plan : !wish.isGiven() && devices().length == 1 ? new Sequential().spec() : AUTO;
    }

    private boolean isAuto() {
        return plan().strip().equals(AUTO);
    }

    /** Says what is said here. @throws InputException if there is no such preference */
    public DiffusionPipeline.Builder apply(DiffusionPipeline.Builder pipeline) {
        return wish.apply(pipeline.devices(devices()).plan(plan()));
    }

    /** The devices as {@link dev.slipstream.bridge.DeviceSpec#parse} reads them. */
    public String[] devices() {
        if (devices == null) {
            boolean given = plan != null && !plan.strip().equals(AUTO);
            return threads(given ? Strategy.parse(plan).usualDevices()
                : Math.min(USUAL_DEVICES, Runtime.getRuntime().availableProcessors()));
        }
        String text = devices.strip();
        if (text.matches("\\d+")) {
            // Seven digits are too many devices, and could be too large for an int.
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
            throw new InputException("--devices takes 1 to " + MOST_DEVICES + " devices, not " + devices
                + "; most plans use 2 to 4");
        }
        return Collections.nCopies(count, "cpu:1").toArray(String[]::new);
    }
}
