package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.clip.ClipVisionModel;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.run.EngineRunner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a picture shows, in one token: an engine of a CLIP that sees. One call at a time; it owns its engine. */
public final class PictureReader implements AutoCloseable {
    private final OnPaper paper;
    private final EngineRunner runner;

    private PictureReader(OnPaper paper, EngineRunner runner) {
        this.paper = paper;
        this.runner = runner;
    }

    /**
     * Such a network with nothing built yet. Immutable; any thread may use it.
     *
     * @param model for one picture
     */
    public record OnPaper(StaticGraph model, PicturePreparation preparation) {
        /**
         * Reads the one of a folder.
         *
         * @throws dev.slipstream.pipelines.model.ModelException if it is missing or damaged
         * @throws GraphException if it does not make what is read
         */
        public static OnPaper open(ModelFolder folder) {
            Graph graph = new ComponentGraphs(folder).pictureReader();
            int side = Math.toIntExact(graph.inputs().getFirst().getType().getTensorType().getShape().getDim(2)
                .getDimValue());
            if (side == 0) {
                throw new GraphException(folder + ": the graph that sees pictures leaves their size open; take the "
                    + "checkpoint of image_encoder/");
            }
            StaticGraph model = StaticGraph.fix(Component.IMAGE_ENCODER.folders().getFirst(), graph,
                Map.of(ClipVisionModel.PIXEL_VALUES,
                    TensorType.of(DataType.FLOAT32, 1, Planes.COLOURS, side, side)));
            return new OnPaper(model, new PicturePreparation(side,
                colours(folder.pictureSettings(), "image_mean", PicturePreparation.CLIP_MEAN),
                colours(folder.pictureSettings(), "image_std", PicturePreparation.CLIP_DEVIATION)));
        }

        private static List<Double> colours(Optional<ConfigFile> settings, String key, List<Double> usual) {
            if (settings.isEmpty() || !settings.get().has(key)) {
                return usual;
            }
            List<Double> numbers = settings.get().list(key).stream()
                .map(number -> settings.get().number(key, number)).toList();
            if (numbers.size() != Planes.COLOURS) {
                throw settings.get().wrong(key, "must have a number for red, green and blue, not " + numbers);
            }
            return numbers;
        }

        /** Numbers of the token. */
        public long width() {
            return model.outputs().get(ClipVisionModel.IMAGE_EMBEDS).shape().dim(1);
        }

        PictureReader build(Device device) {
            return new PictureReader(this, model.build(device));
        }
    }

    /** The token of a picture of any size. */
    public float[] read(Image picture) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment pixels = arena.allocateFrom(ValueLayout.JAVA_FLOAT, paper.preparation.prepare(picture));
            return paper.model.finite(runner.run(Map.of(ClipVisionModel.PIXEL_VALUES, pixels), arena))
                .get(ClipVisionModel.IMAGE_EMBEDS).toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    @Override
    public void close() {
        runner.close();
    }
}
