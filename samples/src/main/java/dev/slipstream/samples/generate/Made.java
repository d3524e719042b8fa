package dev.slipstream.samples.generate;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Adapter;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Control;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Refinement;
import dev.slipstream.pipelines.diffusion.GeneratedVideo;
import dev.slipstream.pipelines.plan.Plan;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a picture or a video came about.
 *
 * @param asked steps as asked for; {@code steps} were taken
 * @param batch pictures that were drawn together
 * @param rested the steps at which stages rested as the loop decided, by their label
 * @param window the steps that lay in the window as the loop decided
 * @param film frames, and how many of them a second, if it is a video
 */
record Made(String prompt, String negative, long seed, int asked, double guidance, double guidanceRescale, int batch,
    String scheduler, DataType precision, List<Adapter> adapters, List<Control> controls, Plan plan,
    Optional<Refinement> refinement, int steps, long copiedBytes, Optional<Film> film,
    Map<String, List<Integer>> rested, List<Integer> window) {

    /** Of a video. */
    record Film(int frames, int framesPerSecond) {
    }

    static Made of(GeneratedImage picture) {
        return new Made(picture.request().prompt(), picture.request().negative(), picture.seed(),
            picture.request().steps().orElseThrow(), picture.request().guidance().orElseThrow(),
            picture.request().guidanceRescale(), picture.batch(), picture.scheduler(), picture.precision(),
            picture.adapters(), picture.controls(), picture.plan(), picture.refinement(), picture.steps(),
            picture.copiedBytes(), Optional.empty(), picture.rested(), picture.window());
    }

    static Made of(GeneratedVideo video) {
        return new Made(video.request().prompt(), video.request().negative(), video.seed(),
            video.request().steps().orElseThrow(), video.request().guidance().orElseThrow(), 0, 1, video.scheduler(),
            video.precision(), video.adapters(), List.of(), video.plan(), Optional.empty(), video.steps(),
            video.copiedBytes(), Optional.of(new Film(video.frames().size(), video.framesPerSecond())), video.rested(),
            video.window());
    }
}
