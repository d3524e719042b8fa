package dev.slipstream.samples.predict;

import dev.slipstream.pipelines.cost.DeviceTimes;
import dev.slipstream.pipelines.cost.Hardware;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Site;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.run.simulate.Interconnect;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import dev.slipstream.samples.terminal.InputException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** GPUs that plans are predicted for, as {@code --gpus} and {@code --link} name them. */
public final class Sites {
    private static final Pattern SOME = Pattern.compile("(?:(\\d{1,3})x)?(\\S.*)");
    private static final double NANOS_PER_SECOND = 1e9;
    /** Of one instruction, once what recurs is replayed: measured on the stand-in for CUDA, so without its driver. */
    private static final long HOST_NANOS = 1000;

    /** GPUs copy beside computing. */
    private static final UnrollOptions GPUS = new UnrollOptions(true, false, true, false);

    private Sites() {
    }

    /**
     * @param gpus as {@code 4xRTX4090} or {@code A100,2xL4}
     * @param link a name, or none to say that copies take no time
     */
    static Site of(String gpus, String link, Precision precision) {
        List<DeviceTimes> times = new ArrayList<>();
        for (String some : gpus.split(",", -1)) {
            Matcher parts = SOME.matcher(some.strip());
            if (!parts.matches()) {
                throw new InputException("--gpus takes names with numbers before them, like 4xRTX4090 or A100,2xL4, "
                    + "not '" + gpus + "'");
            }
            int count = parts.group(1) == null ? 1 : Integer.parseInt(parts.group(1));
            times.addAll(Collections.nCopies(count, rates(parts.group(2), precision)));
        }
        if (times.isEmpty()) {
            throw new InputException("--gpus " + gpus + " names no GPU; write 2xA100 for two of them");
        }
        return new Site(times, Collections.nCopies(times.size(), DeviceForm.STANDARD), interconnect(link), GPUS,
            HOST_NANOS);
    }

    private static DeviceTimes rates(String name, Precision precision) {
        try {
            return Hardware.gpu(name, precision);
        } catch (IllegalArgumentException unknown) {
            throw new InputException("--gpus: " + unknown.getMessage());
        }
    }

    private static Interconnect interconnect(String name) {
        try {
            Hardware.Link link = Hardware.link(name);
            return new Interconnect.Star(link.bytesPerNano() * NANOS_PER_SECOND, link.latencyNanos());
        } catch (IllegalArgumentException unknown) {
            throw new InputException("--link: " + unknown.getMessage());
        }
    }
}
