package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.MemoryNeed;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.plan.GuidanceSchedule.Unconditional;
import dev.slipstream.pipelines.plan.GuidanceSchedule;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What one model must have for one request.
 *
 * @param planned gives its loop, always the same; the first time it may take long, where the plan is still to be chosen
 * @param encoding where a picture of the request becomes latents
 * @param seeing where the denoiser is told what the request's picture shows
 * @param decoding where the model takes the last steps
 * @param previewing where previews have a decoder of their own
 */
public record RequestKeys(ComponentKey.Text text, Supplier<Loop> planned, Optional<ComponentKey.Encoding> encoding,
    Optional<ComponentKey.Seeing> seeing, Optional<Decodings> decoding, Optional<Decodings> previewing) {

    /**
     * What a denoiser's loop is for: two that are equal run the same program.
     *
     * @param kept after which steps the request reads the latents
     * @param rests by modules that are joined with the denoiser the steps at which they do not run
     * @param guided those of them that do not run where the plan guides nothing, either
     */
    public record Loop(ComponentKey.Denoising denoiser, NoiseTable noise, Guidance guidance, Estimates estimates,
        KeptLatents kept, Map<String, Set<Integer>> rests, Set<String> guided) {
        public Loop {
            rests = Map.copyOf(rests);
            guided = Set.copyOf(guided);
        }

        /** @param more latents that stay readable after a run, beside those that the request wants */
        public Program program(KeptLatents more, UnrollOptions options) {
            PartitionedDenoiser placed = denoiser.partitioned();
            Map<String, Set<Integer>> all = new HashMap<>(rests);
            guided.forEach(module -> all.merge(module, unguided(placed.plan().guidance()), RequestKeys::union));
            return placed.program(noise, guidance, kept.and(more), estimates, all, options);
        }

        private Set<Integer> unguided(GuidanceSchedule schedule) {
            int steps = noise.steps();
            return IntStream.range(0, steps).filter(step -> schedule.at(step, steps) == Unconditional.NONE).boxed()
                .collect(Collectors.toSet());
        }
    }

    /** What the denoiser's loop is for. */
    public Loop loop() {
        return planned.get();
    }

    private static Set<Integer> union(Set<Integer> one, Set<Integer> other) {
        return Stream.concat(one.stream(), other.stream()).collect(Collectors.toSet());
    }

    /**
     * What the {@link LatentsDecoder} is for.
     *
     * @param decoders one for each number of frames that are decoded together
     */
    public record Decodings(List<ComponentKey.Decoding> decoders, LatentFrames frames) {
        public Decodings {
            decoders = List.copyOf(decoders);
        }

        /**
         * Those of an autoencoder.
         *
         * @param together how many frames are decoded together, but for those that are left over
         * @param latents of the loop
         */
        public static Decodings of(Autoencoder autoencoder, LatentFrames frames, int together, TensorType latents) {
            return new Decodings(frames.chunks(together).stream().map(count -> new ComponentKey.Decoding(autoencoder,
                autoencoder.tile(frames.type(count, latents)))).toList(), frames);
        }
    }

    /** The same, where the latents after some steps of the loop stay readable. */
    public RequestKeys keeping(KeptLatents wanted) {
        return new RequestKeys(text, () -> {
            Loop loop = loop();
            return new Loop(loop.denoiser, loop.noise, loop.guidance, loop.estimates, wanted, loop.rests, loop.guided);
        }, encoding, seeing, decoding, previewing);
    }

    /** All that has engines. */
    List<ComponentKey<?>> engines() {
        List<ComponentKey<?>> all = new ArrayList<>(List.of(text, loop().denoiser()));
        encoding.ifPresent(all::add);
        seeing.ifPresent(all::add);
        decoding.ifPresent(it -> all.addAll(it.decoders()));
        previewing.ifPresent(it -> all.addAll(it.decoders()));
        return all;
    }

    /** What encodes prompts, with types; each runs once for a chunk of them. */
    public List<Graph> encoderGraphs() {
        return text.encoders().graphs(text.clipSkip()).stream().map(graph -> graph.graph().graph()).toList();
    }

    /** What decodes pictures, with types; none where another model takes the last steps. */
    public List<Graph> decoderGraphs() {
        return decoding.stream().flatMap(it -> it.decoders().stream())
            .map(key -> key.autoencoder().decoder(key.tile()).graph()).toList();
    }

    /**
     * What its loop leaves of the devices' time.
     *
     * @param program of the loop
     * @param mayBeHome whether what is not the denoiser may live on a device
     */
    SpareTime spare(Program program, IntPredicate mayBeHome) {
        return SpareTime.of(loop().denoiser().partitioned(), program, List.of(decoderGraphs(), encoderGraphs()),
            mayBeHome);
    }

    /**
     * What all of it takes on each device, in the plan's order.
     *
     * @param program of the loop
     * @param overlapped whether components work beside loops
     */
    public List<MemoryNeed> need(List<DeviceForm> devices, Program program, boolean overlapped) {
        int home = overlapped ? spare(program, device -> true).home() : 0;
        List<MemoryNeed> inside = MemoryNeed.together(List.of(loop().denoiser().need(devices, home),
            MemoryNeed.ofBuffers(devices.size(), program)));
        List<MemoryNeed> outside = MemoryNeed.together(engines().stream().filter(key -> !key.equals(loop().denoiser()))
            .map(key -> key.need(devices, home)).toList());
        return overlapped ? MemoryNeed.sums(inside, outside) : MemoryNeed.together(List.of(inside, outside));
    }
}
