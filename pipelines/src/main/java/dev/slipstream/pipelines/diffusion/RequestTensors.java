package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Mix;
import dev.slipstream.pipelines.run.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;

/** Makes what the loop of one request is given. One thread; the tensors live as long as the arena. */
final class RequestTensors {
    private final ResolvedRequest request;
    private final NoiseTable noise;
    private final TensorType latents;
    private final SeededNoise seeded;
    private final Arena arena;
    private final Map<String, MemorySegment> given = new LinkedHashMap<>();

    RequestTensors(ResolvedRequest request, Arena arena) {
        this.request = request;
        this.noise = request.noise();
        this.latents = request.latents();
        this.arena = arena;
        this.seeded = new SeededNoise(request.request().seed(), latents, arena);
    }

    /**
     * All tensors; where another model begins, the caller adds the latents.
     *
     * @param pictureEncoder is there if the request's picture becomes latents
     */
    Map<String, MemorySegment> make(TextEncoder text, Optional<ImageEncoder> pictureEncoder) {
        text.encode(request.prompts(), arena).forEach(this::condition);
        request.numbers().forEach((name, numbers) -> condition(name,
            bothRows(numbers.type(request.model().denoiser(), name), numbers)));
        Mix start = request.start();
        if (request.span().isFirst()) {
            given.put(Program.LATENTS, seeded.latents(start.noise()));
        }
        if (noise.needsNoise()) {
            given.put(Program.NOISE, seeded.steps(request.stepsBefore(), noise.steps()));
        }
        switch (request.model().extra()) {
            case NONE -> {
                if (request.encodesPicture()) {
                    startFrom(start, pictureEncoder.orElseThrow());
                }
            }
            case MASKED_PICTURE -> {
                startFrom(start, pictureEncoder.orElseThrow());
                given.put(Program.EXTRA_CHANNELS, maskedPicture(pictureEncoder.orElseThrow()));
            }
            case PICTURE -> given.put(Program.EXTRA_CHANNELS, blurredPicture());
        }
        return given;
    }

    /**
     * Repeats the row of each prompt for every picture, the unconditional ones first. Where nothing is predicted
     * unconditionally, only the second row is wanted.
     */
    private void condition(String name, MemorySegment both) {
        long row = both.byteSize() / 2;
        MemorySegment wanted = request.isGuided() ? both : both.asSlice(row);
        long pictures = request.request().batch();
        MemorySegment rows = arena.allocate(wanted.byteSize() * pictures, 64);
        for (long index = 0; index < rows.byteSize() / row; index++) {
            MemorySegment.copy(wanted, index / pictures * row, rows, index * row, row);
        }
        given.put(name, rows);
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
        if (start.image() == 0 && !request.repaints()) {
            return;
        }
        GivenImage picture = request.picture();
        float[] clean = encoder.encode(Planes.of(picture.image()), seeded.image(), 0);
        if (start.image() != 0) {
            MemorySegment first = given.get(Program.LATENTS);
            for (int i = 0; i < clean.length; i++) {
                first.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (first.getAtIndex(ValueLayout.JAVA_FLOAT, i)
                    + start.image() * clean[i]));
            }
        }
        request.mask().ifPresent(mask -> {
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

    /** For every picture the mask, and the latents of what is known. */
    private MemorySegment maskedPicture(ImageEncoder encoder) {
        GivenImage picture = request.picture();
        RepaintMask mask = RepaintMask.of(picture.mask().orElseThrow(), request.pixelsPerLatent());
        float[] known = encoder.encode(Planes.ofKnown(picture.image(), picture.mask().get()),
            seeded.image(), LoopShape.withRows(latents, 1).shape().elements());
        int pictures = request.request().batch();
        int each = known.length / pictures;
        float[][] channels = new float[2 * pictures][];
        for (int i = 0; i < pictures; i++) {
            channels[2 * i] = mask.values();
            channels[2 * i + 1] = Arrays.copyOfRange(known, i * each, (i + 1) * each);
        }
        return joined(channels);
    }

    private MemorySegment blurredPicture() {
        GivenImage picture = request.request().given().orElseThrow();
        Mix mix = request.model().lowResolutionNoise().at(picture.usedNoiseLevel());
        float[] pixels = Planes.of(picture.image()).values();
        return joined(seeded.image().stream().map(noise -> {
            float[] blurred = noise.draw(pixels.length);
            for (int i = 0; i < pixels.length; i++) {
                blurred[i] = (float) (mix.image() * pixels[i] + mix.noise() * blurred[i]);
            }
            return blurred;
        }).toArray(float[][]::new));
    }

    private MemorySegment joined(float[]... parts) {
        long count = Arrays.stream(parts).mapToLong(part -> part.length).sum();
        MemorySegment whole = arena.allocate(count * Float.BYTES, 64);
        long place = 0;
        for (float[] part : parts) {
            MemorySegment.copy(part, 0, whole, ValueLayout.JAVA_FLOAT, place, part.length);
            place += (long) part.length * Float.BYTES;
        }
        return whole;
    }
}
