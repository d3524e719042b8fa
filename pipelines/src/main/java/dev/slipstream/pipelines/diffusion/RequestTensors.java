package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Mix;
import dev.slipstream.pipelines.run.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntToDoubleFunction;

/** Makes what the loop of one request is given. One thread; the tensors live as long as the arena. */
final class RequestTensors {
    private final Commission commission;
    private final NoiseTable noise;
    private final TensorType latents;
    private final SeededNoise seeded;
    private final Arena arena;
    private final Map<String, MemorySegment> given = new LinkedHashMap<>();

    RequestTensors(Commission commission, NoiseTable noise, TensorType latents, Arena arena) {
        this.commission = commission;
        this.noise = noise;
        this.latents = latents;
        this.arena = arena;
        this.seeded = new SeededNoise(commission.request().seed(), latents, arena);
    }

    /**
     * All tensors; where another model begins, the caller adds the latents.
     *
     * @param stepsBefore steps that other models take before
     */
    Map<String, MemorySegment> make(EngineCache engines, int stepsBefore) {
        engines.encoder().encode(commission.prompts(), arena).forEach(this::condition);
        commission.numbers(latents).forEach((name, numbers) -> condition(name,
            bothRows(numbers.type(commission.model().denoiser(), name), numbers)));
        Mix start = commission.start(noise);
        if (commission.span().isFirst()) {
            given.put(Program.LATENTS, seeded.latents(start.noise()));
        }
        if (noise.needsNoise()) {
            given.put(Program.NOISE, seeded.steps(stepsBefore, noise.steps()));
        }
        switch (commission.model().extra()) {
            case NONE -> {
                if (commission.encodesPicture()) {
                    startFrom(start, engines.pictureEncoder());
                }
            }
            case MASKED_PICTURE -> {
                startFrom(start, engines.pictureEncoder());
                given.put(Program.EXTRA_CHANNELS, maskedPicture(engines.pictureEncoder()));
            }
            case PICTURE -> given.put(Program.EXTRA_CHANNELS, blurredPicture());
        }
        return given;
    }

    /** Where nothing is predicted unconditionally, only the second row is wanted. */
    private void condition(String name, MemorySegment rows) {
        given.put(name, commission.isGuided() ? rows : rows.asSlice(rows.byteSize() / 2));
    }

    private MemorySegment bothRows(TensorType type, Conditions.Numbers numbers) {
        MemorySegment rows = arena.allocate(type.bytes(), 64);
        int each = numbers.conditional().length;
        for (int i = 0; i < 2 * each; i++) {
            double number = i < each ? numbers.unconditional()[i] : numbers.conditional()[i - each];
            switch (type.type()) {
                case FLOAT32 -> rows.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) number);
                case FLOAT16 -> rows.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((float) number));
                case INT64 -> rows.setAtIndex(ValueLayout.JAVA_LONG, i, (long) number);
                case INT32 -> rows.setAtIndex(ValueLayout.JAVA_INT, i, (int) number);
                default -> throw new IllegalStateException("a condition of type " + type + " cannot be written");
            }
        }
        return rows;
    }

    private void startFrom(Mix start, ImageEncoder encoder) {
        if (start.image() == 0 && !commission.repaints()) {
            return;
        }
        GivenImage picture = commission.picture(latents);
        float[] clean = encoder.encode(Planes.of(picture.image()), Noise.ofImage(commission.request().seed()), 0);
        if (start.image() != 0) {
            MemorySegment first = given.get(Program.LATENTS);
            for (int i = 0; i < clean.length; i++) {
                first.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (first.getAtIndex(ValueLayout.JAVA_FLOAT, i)
                    + start.image() * clean[i]));
            }
        }
        commission.mask(latents).ifPresent(mask -> {
            MemorySegment unit = seeded.latents(1);
            given.put(Program.KNOWN_IMAGE, known(mask, i -> clean[i]));
            given.put(Program.KNOWN_NOISE, known(mask, i -> unit.getAtIndex(ValueLayout.JAVA_FLOAT, i)));
            if (noise.needsNoise()) {
                drawnOnly(mask, given.get(Program.NOISE));
            }
        });
    }

    private MemorySegment known(RepaintMask mask, IntToDoubleFunction value) {
        MemorySegment known = arena.allocate(latents.bytes(), 64);
        for (int i = 0; i < latents.shape().elements(); i++) {
            known.setAtIndex(ValueLayout.JAVA_FLOAT, i, (1 - mask.at(i)) * (float) value.applyAsDouble(i));
        }
        return known;
    }

    private static void drawnOnly(RepaintMask mask, MemorySegment steps) {
        for (long i = 0; i < steps.byteSize() / Float.BYTES; i++) {
            steps.setAtIndex(ValueLayout.JAVA_FLOAT, i, mask.at(i) * steps.getAtIndex(ValueLayout.JAVA_FLOAT, i));
        }
    }

    /** The mask, and the latents of what is known. */
    private MemorySegment maskedPicture(ImageEncoder encoder) {
        GivenImage picture = commission.picture(latents);
        RepaintMask mask = RepaintMask.of(picture.mask().orElseThrow(), commission.pixelsPerLatent());
        float[] known = encoder.encode(Planes.ofKnown(picture.image(), picture.mask().get()),
            Noise.ofImage(commission.request().seed()), latents.shape().elements());
        MemorySegment channels = arena.allocate((long) (mask.values().length + known.length) * Float.BYTES, 64);
        MemorySegment.copy(mask.values(), 0, channels, ValueLayout.JAVA_FLOAT, 0, mask.values().length);
        MemorySegment.copy(known, 0, channels, ValueLayout.JAVA_FLOAT, (long) mask.values().length * Float.BYTES,
            known.length);
        return channels;
    }

    private MemorySegment blurredPicture() {
        GivenImage picture = commission.request().given().orElseThrow();
        Mix mix = commission.model().lowResolutionNoise().at(picture.usedNoiseLevel());
        float[] pixels = Planes.of(picture.image()).values();
        float[] blur = Noise.ofImage(commission.request().seed()).draw(pixels.length);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) (mix.image() * pixels[i] + mix.noise() * blur[i]);
        }
        return arena.allocateFrom(ValueLayout.JAVA_FLOAT, pixels);
    }
}
