package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A part of a model with engines of its own, which are built, kept and freed apart from those of the others. It says
 * what they are for: two that are equal have the same engines.
 *
 * @param <T> what has the engines
 */
sealed interface Part<T extends AutoCloseable> {
    PipelineDraft draft();

    /** What threads that build it are called after. */
    String name();

    Class<T> type();

    /** What it takes on each device. */
    List<MemoryNeed> need();

    /** What it keeps of the heap, if that is worth counting. */
    default long heapBytes() {
        return 0;
    }

    /** @param gate asked before each engine; what it throws ends the building */
    T build(List<Device> devices, Runnable gate);

    /** Those that a request needs of its model. */
    static List<Part<?>> of(ResolvedRequest request) {
        List<Part<?>> parts = new ArrayList<>(List.of(text(request), denoising(request)));
        encoding(request).ifPresent(parts::add);
        decoding(request).ifPresent(parts::add);
        return parts;
    }

    static Text text(ResolvedRequest request) {
        return new Text(request.draft(), request.request().conditioning().clipSkip());
    }

    static Denoising denoising(ResolvedRequest request) {
        return new Denoising(request.draft(), request.shape());
    }

    /** If the request's picture becomes latents. */
    static Optional<Encoding> encoding(ResolvedRequest request) {
        return request.encodesPicture() ? Optional.of(new Encoding(request.draft(), tile(request))) : Optional.empty();
    }

    /** If the model takes the last steps. */
    static Optional<Decoding> decoding(ResolvedRequest request) {
        return request.span().isLast() ? Optional.of(new Decoding(request.draft(), tile(request))) : Optional.empty();
    }

    private static TensorType tile(ResolvedRequest request) {
        return request.draft().autoencoder().tile(request.latents());
    }

    /** The text encoders. @param clipSkip how many of their last layers are left out */
    record Text(PipelineDraft draft, int clipSkip) implements Part<TextEncoder> {
        @Override
        public String name() {
            return "text encoder";
        }

        @Override
        public Class<TextEncoder> type() {
            return TextEncoder.class;
        }

        @Override
        public List<MemoryNeed> need() {
            return MemoryNeed.ofComponent(draft.devices().size(), draft.model().texts().weightBytes(), 0);
        }

        @Override
        public TextEncoder build(List<Device> devices, Runnable gate) {
            gate.run();
            return TextEncoder.build(draft.model().texts(), clipSkip, devices.getFirst());
        }
    }

    /** The half of the autoencoder that encodes. @param tile of one picture's latents */
    record Encoding(PipelineDraft draft, TensorType tile) implements Part<ImageEncoder> {
        @Override
        public String name() {
            return "picture encoder";
        }

        @Override
        public Class<ImageEncoder> type() {
            return ImageEncoder.class;
        }

        @Override
        public List<MemoryNeed> need() {
            return MemoryNeed.ofComponent(draft.devices().size(), draft.autoencoder().encoderGraph().weightBytes(),
                draft.devices().getFirst().workBytes(draft.autoencoder().encoder(tile).graph()));
        }

        @Override
        public ImageEncoder build(List<Device> devices, Runnable gate) {
            gate.run();
            return ImageEncoder.build(draft.autoencoder().encoder(tile), draft.autoencoder().config(), tile,
                devices.getFirst());
        }
    }

    /** The half of the autoencoder that decodes. @param tile of one picture's latents */
    record Decoding(PipelineDraft draft, TensorType tile) implements Part<ImageDecoder> {
        @Override
        public String name() {
            return "image decoder";
        }

        @Override
        public Class<ImageDecoder> type() {
            return ImageDecoder.class;
        }

        @Override
        public List<MemoryNeed> need() {
            return MemoryNeed.ofComponent(draft.devices().size(), draft.model().decoder().weightBytes(),
                draft.devices().getFirst().workBytes(draft.autoencoder().decoder(tile).graph()));
        }

        @Override
        public ImageDecoder build(List<Device> devices, Runnable gate) {
            gate.run();
            return ImageDecoder.build(draft.autoencoder().decoder(tile), draft.autoencoder().config(),
                devices.getFirst());
        }
    }

    /** The denoiser, cut and placed. @param shape that it is fixed to */
    record Denoising(PipelineDraft draft, LoopShape shape) implements Part<Denoiser> {
        @Override
        public String name() {
            return "denoiser";
        }

        @Override
        public Class<Denoiser> type() {
            return Denoiser.class;
        }

        @Override
        public List<MemoryNeed> need() {
            Blueprint blueprint = draft.blueprint(shape);
            return IntStream.range(0, draft.devices().size()).mapToObj(device -> new MemoryNeed(
                blueprint.weightBytes(device), 0, 0, blueprint.workBytes(device, draft.devices().get(device))))
                .toList();
        }

        @Override
        public long heapBytes() {
            return draft.blueprint(shape).heapBytes();
        }

        @Override
        public Denoiser build(List<Device> devices, Runnable gate) {
            return Denoiser.build(draft.blueprint(shape), devices, gate);
        }
    }
}
