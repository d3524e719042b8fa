package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.DeviceLostException;
import java.util.List;

/**
 * A step was not done within the patience. The message says what each stuck stream runs or waits for; the devices that
 * did not move were given up, and have to be closed and opened again.
 */
public class LoopStuckException extends DeviceLostException {
    private static final long serialVersionUID = 1;

    /**
     * @param late what was not done, and within which time
     * @param givenUp names of the devices that were given up
     */
    LoopStuckException(String late, StallReport report, LoopNames names, List<String> givenUp) {
        super(late + ": "
            + (report.stuck().isEmpty() ? "no stream of the program is to blame" : report.describe(names))
            + (givenUp.isEmpty() ? ""
                : "; " + String.join(", ", givenUp) + " had to be given up, open the pipeline again"));
    }
}
