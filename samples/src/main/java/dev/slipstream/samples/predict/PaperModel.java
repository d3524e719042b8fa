package dev.slipstream.samples.predict;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.samples.options.HollowModel;
import dev.slipstream.samples.options.ModelOptions;
import dev.slipstream.samples.options.RequestOptions;
import java.util.Optional;

/** A model with what is asked of it, as far as plans depend on it; no weights are read. */
final class PaperModel implements AutoCloseable {
    private final PipelineSpec spec;
    private final String name;
    private final Optional<HollowModel> hollow;

    private PaperModel(PipelineSpec spec, String name, Optional<HollowModel> hollow) {
        this.spec = spec;
        this.name = name;
        this.hollow = hollow;
    }

    /** One that is there. */
    static PaperModel of(ModelOptions model, Precision precision) {
        return new PaperModel(spec(model.pipeline(), precision), String.valueOf(model.path().getFileName()),
            Optional.empty());
    }

    /** One of a family in real size. */
    static PaperModel like(String family, Precision precision) {
        HollowModel hollow = HollowModel.like(family);
        try {
            return new PaperModel(spec(DiffusionPipeline.of(hollow.folder()), precision), family,
                Optional.of(hollow));
        } catch (RuntimeException | Error failure) {
            hollow.close();
            throw failure;
        }
    }

    private static PipelineSpec spec(DiffusionPipeline.Builder model, Precision precision) {
        return model.devices("cuda:0").plan("sequential").precision(precision.type()).spec();
    }

    String name() {
        return name;
    }

    /** What plans depend on. */
    Question question(RequestOptions options) {
        return spec.makesVideos() ? Question.of(spec, spec.completed(video(options)))
            : Question.of(spec, spec.completed(options.request("")));
    }

    /** Some models make videos of a picture; what it shows does not matter. */
    private VideoRequest video(RequestOptions options) {
        VideoRequest request = options.video("");
        return hollow.isEmpty() || options.hasPicture() || !name.startsWith("svd") ? request
            : request.withPicture(Image.of(1, 1, new byte[3]));
    }

    @Override
    public void close() {
        spec.close();
        hollow.ifPresent(HollowModel::close);
    }
}
