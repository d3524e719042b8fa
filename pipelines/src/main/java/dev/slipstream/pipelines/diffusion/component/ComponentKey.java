package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.MemoryNeed;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.denoise.Partitioner;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What engines are for. Those of one key are built, kept and freed together; two keys that are equal have the same
 * engines.
 *
 * @param <T> what has the engines
 */
public sealed interface ComponentKey<T extends AutoCloseable> {
    /** What threads that build it are called after. */
    String name();

    Class<T> type();

    /** What it takes on each device, in the plan's order. @param home the one that has it, if it is not the denoiser */
    List<MemoryNeed> need(List<DeviceForm> devices, int home);

    /** What it keeps of the heap. */
    long heapBytes();

    /** @param home as for {@link #need} @param gate asked before each engine; what it throws ends the building */
    T build(List<Device> devices, int home, Runnable gate);

    /** The text encoders. @param clipSkip how many of their last layers are left out */
    record Text(TextEncoders encoders, int clipSkip) implements ComponentKey<TextEncoder> {
        @Override
        public String name() {
            return "text encoder";
        }

        @Override
        public Class<TextEncoder> type() {
            return TextEncoder.class;
        }

        @Override
        public List<MemoryNeed> need(List<DeviceForm> devices, int home) {
            return MemoryNeed.ofComponent(devices.size(), home, encoders.weightBytes(devices.get(home)), 0);
        }

        @Override
        public long heapBytes() {
            return encoders.graphs(clipSkip).stream().mapToLong(graph -> graph.graph().heapBytes()).sum();
        }

        @Override
        public TextEncoder build(List<Device> devices, int home, Runnable gate) {
            gate.run();
            return TextEncoder.build(encoders, clipSkip, devices.get(home));
        }
    }

    /** What sees the picture that a video begins with. */
    record Seeing(PictureReader.OnPaper reader) implements ComponentKey<PictureReader> {
        @Override
        public String name() {
            return "picture reader";
        }

        @Override
        public Class<PictureReader> type() {
            return PictureReader.class;
        }

        @Override
        public List<MemoryNeed> need(List<DeviceForm> devices, int home) {
            return MemoryNeed.ofComponent(devices.size(), home, devices.get(home).weightBytes(reader.model().graph()),
                devices.get(home).workBytes(reader.model().graph()));
        }

        @Override
        public long heapBytes() {
            return reader.model().heapBytes();
        }

        @Override
        public PictureReader build(List<Device> devices, int home, Runnable gate) {
            gate.run();
            return reader.build(devices.get(home));
        }
    }

    /** The half of the autoencoder that encodes. @param tile of one picture's latents */
    record Encoding(Autoencoder autoencoder, TensorType tile) implements ComponentKey<ImageEncoder> {
        @Override
        public String name() {
            return "picture encoder";
        }

        @Override
        public Class<ImageEncoder> type() {
            return ImageEncoder.class;
        }

        @Override
        public List<MemoryNeed> need(List<DeviceForm> devices, int home) {
            return MemoryNeed.ofComponent(devices.size(), home,
                devices.get(home).weightBytes(autoencoder.encoderGraph()),
                devices.get(home).workBytes(autoencoder.encoder(tile).graph()));
        }

        @Override
        public long heapBytes() {
            return MemoryNeed.heapBytes(autoencoder.encoderGraph());
        }

        @Override
        public ImageEncoder build(List<Device> devices, int home, Runnable gate) {
            gate.run();
            return ImageEncoder.build(autoencoder.encoder(tile), autoencoder.config(), tile, devices.get(home));
        }
    }

    /** The half of the autoencoder that decodes. @param tile of the latents of what is decoded together */
    record Decoding(Autoencoder autoencoder, TensorType tile) implements ComponentKey<ImageDecoder> {
        @Override
        public String name() {
            return "image decoder";
        }

        @Override
        public Class<ImageDecoder> type() {
            return ImageDecoder.class;
        }

        @Override
        public List<MemoryNeed> need(List<DeviceForm> devices, int home) {
            return MemoryNeed.ofComponent(devices.size(), home,
                devices.get(home).weightBytes(autoencoder.decoderGraph()),
                devices.get(home).workBytes(autoencoder.decoder(tile).graph()));
        }

        @Override
        public long heapBytes() {
            return MemoryNeed.heapBytes(autoencoder.decoderGraph());
        }

        @Override
        public ImageDecoder build(List<Device> devices, int home, Runnable gate) {
            gate.run();
            return ImageDecoder.build(autoencoder.decoder(tile), autoencoder.config(), devices.get(home));
        }
    }

    /** The denoiser, cut and placed. @param shape that it is fixed to */
    record Denoising(Partitioner partitioner, LoopShape shape) implements ComponentKey<Denoiser> {
        @Override
        public String name() {
            return "denoiser";
        }

        @Override
        public Class<Denoiser> type() {
            return Denoiser.class;
        }

        public PartitionedDenoiser partitioned() {
            return partitioner.partition(shape);
        }

        @Override
        public List<MemoryNeed> need(List<DeviceForm> devices, int home) {
            PartitionedDenoiser partitioned = partitioned();
            return IntStream.range(0, devices.size()).mapToObj(device ->
                new MemoryNeed(partitioned.weightBytes(device, devices), 0, 0,
                    partitioned.workBytes(device, devices.get(device)))).toList();
        }

        @Override
        public long heapBytes() {
            return partitioned().heapBytes();
        }

        @Override
        public Denoiser build(List<Device> devices, int home, Runnable gate) {
            return Denoiser.build(partitioned(), devices, gate);
        }
    }
}
