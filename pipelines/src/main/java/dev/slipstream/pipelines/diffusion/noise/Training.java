package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing.Kind;
import java.util.HashMap;
import java.util.Map;

/** How a model was trained to see noise, which no choice of a method changes. */
enum Training {
    /** By a schedule of betas. */
    DIFFUSION("by a schedule of betas"),
    /** Along straight lines between image and noise. */
    FLOW_MATCHING("by flow matching"),
    /** With the preconditioning of Karras et al. (2022). */
    EDM("with the preconditioning of EDM");

    private final String label;

    Training(String label) {
        this.label = label;
    }

    static Training of(SchedulerOptions options) {
        if (options.className().startsWith("EDM")) {
            return EDM;
        }
        return options.className().startsWith("FlowMatch") || options.flag(Kind.FLOW.option(), false)
            ? FLOW_MATCHING : DIFFUSION;
    }

    /** What a file of another method's class calls in its own way, as JSON. */
    Map<String, String> options(SchedulerOptions file) {
        Map<String, String> all = new HashMap<>();
        if (this == FLOW_MATCHING) {
            boolean named = file.className().startsWith("FlowMatch");
            double shift = file.positiveNumber(named ? "shift" : "flow_shift", 1);
            all.put("shift", Double.toString(shift));
            all.put("flow_shift", Double.toString(shift));
            all.put("use_flow_sigmas", "true");
            all.put("prediction_type", "\"flow_prediction\"");
        }
        return all;
    }

    @Override
    public String toString() {
        return label;
    }
}
