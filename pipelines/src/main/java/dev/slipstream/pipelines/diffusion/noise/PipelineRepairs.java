package dev.slipstream.pipelines.diffusion.noise;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What diffusers' pipelines mend in configurations of noise schedulers that are older than what they rely on. */
final class PipelineRepairs {
    private static final Logger LOG = LoggerFactory.getLogger(PipelineRepairs.class);
    private static final String CLIPS = "clip_sample";
    private static final String INPAINTING = "StableDiffusionInpaintPipeline";

    /** Pipelines of Stable Diffusion 1 and 2; those of SDXL leave the file as it is. */
    private static final Set<String> MENDING =
        Set.of("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", INPAINTING);

    private PipelineRepairs() {
    }

    /** @see NoiseScheduler#forPipeline */
    static SchedulerOptions repaired(SchedulerOptions options, String pipelineClass) {
        // Exporters name their pipelines after those of diffusers.
        String name = pipelineClass.replaceFirst("^(Onnx|ORT)", "");
        Map<String, String> mended = new LinkedHashMap<>();
        if (MENDING.contains(name)) {
            if (options.number("steps_offset", 0) != 1) {
                mended.put("steps_offset", "1");
            }
            if (options.flag(CLIPS, false)) {
                mended.put(CLIPS, "false");
            }
            boolean skips = options.flag("skip_prk_steps", !options.className().equals("PNDMScheduler"));
            if (name.equals(INPAINTING) && !skips) {
                mended.put("skip_prk_steps", "true");
            }
        }
        if (!mended.isEmpty()) {
            LOG.warn("{}", options.error("this configuration is outdated; " + pipelineClass + " takes " + mended
                + " instead of what it says").getMessage());
        }
        if (!options.has(CLIPS)) {
            mended.put(CLIPS, "false");
        }
        return options.with(mended);
    }
}
