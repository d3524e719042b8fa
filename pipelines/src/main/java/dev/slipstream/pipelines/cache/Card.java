package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.file.DamagedFileException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What an index knows of an entry: enough to find it and to pass over it without opening its file.
 *
 * @param vector see {@link Projection}
 * @param depths the steps whose latents are kept, from the first on
 * @param steps of the whole request; latents of that depth are finished ones
 */
record Card(String id, Mark mark, float[] vector, List<Integer> depths, int steps, double stepSeconds,
    Instant created) {
    /** Of all steps: a guess, as models that were measured leave out four to six tenths with finished latents. */
    private static final double LIKELY_PART_OF_FINISHED = 0.5;
    private static final int MOST_TEXT_BYTES = 1 << 19;

    static Card of(Entry entry, Instant created) {
        return new Card(entry.id(), entry.mark(), Projection.of(entry.conditioning()),
            List.copyOf(entry.latents().keySet()), entry.key().steps(), entry.stepSeconds(), created);
    }

    /** What the entry saves on average where it serves, before anything is known of it. */
    double likelySeconds() {
        return stepSeconds * depths.stream()
            .mapToDouble(depth -> depth == steps ? LIKELY_PART_OF_FINISHED * steps : depth).average().orElse(0);
    }

    byte[] encoded() {
        return bytes(out -> {
            text(out, id);
            text(out, mark.text());
            text(out, mark.seed());
            long[] words = mark.wording().numbers().toArray();
            out.writeInt(words.length);
            for (long word : words) {
                out.writeLong(word);
            }
            out.writeInt(Projection.VERSION);
            for (float number : vector) {
                out.writeFloat(number);
            }
            out.writeInt(depths.size());
            for (int depth : depths) {
                out.writeInt(depth);
            }
            out.writeInt(steps);
            out.writeDouble(stepSeconds);
            out.writeLong(created.toEpochMilli());
        });
    }

    /** Reads one, and leaves what is behind it. */
    static Card decoded(ByteBuffer in) throws DamagedFileException {
        return checked(in, () -> {
            String id = text(in);
            Mark mark = new Mark(text(in), text(in), wording(in, count(in, Long.BYTES)));
            if (in.getInt() != Projection.VERSION) {
                throw new DamagedFileException("its vector is of another version");
            }
            float[] vector = new float[Projection.SIZE];
            for (int i = 0; i < vector.length; i++) {
                vector[i] = in.getFloat();
                if (!Float.isFinite(vector[i])) {
                    throw new DamagedFileException("its vector is malformed");
                }
            }
            List<Integer> depths = new ArrayList<>();
            for (int left = count(in, Integer.BYTES); left > 0; left--) {
                depths.add(in.getInt());
            }
            int steps = in.getInt();
            double stepSeconds = in.getDouble();
            if (depths.isEmpty() || !(stepSeconds > 0)) {
                throw new DamagedFileException("it keeps nothing");
            }
            return new Card(id, mark, vector, List.copyOf(depths), steps, stepSeconds,
                Instant.ofEpochMilli(in.getLong()));
        });
    }

    private static Wording wording(ByteBuffer in, int numbers) throws DamagedFileException {
        int end = in.position() + numbers * Long.BYTES;
        List<Wording.Part> parts = new ArrayList<>();
        while (in.position() < end) {
            long relation = in.getLong();
            long thing = in.getLong();
            long count = in.getLong();
            if (count < 0 || count > (end - in.position()) / Long.BYTES) {
                throw new DamagedFileException("its words are malformed");
            }
            List<Long> describing = new ArrayList<>();
            for (long left = count; left > 0; left--) {
                describing.add(in.getLong());
            }
            parts.add(new Wording.Part(relation, thing, describing));
        }
        return new Wording(parts);
    }

    /** Writes something into the heap. */
    interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    /** Reads something. */
    interface Reading<T> {
        T run() throws DamagedFileException;
    }

    static byte[] bytes(Writing writing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            writing.to(new DataOutputStream(bytes));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    /** What is shorter than it says is damaged, too. */
    static <T> T checked(ByteBuffer in, Reading<T> reading) throws DamagedFileException {
        try {
            in.order(ByteOrder.BIG_ENDIAN);
            return reading.run();
        } catch (BufferUnderflowException | IllegalArgumentException malformed) {
            throw new DamagedFileException("it is malformed");
        }
    }

    static void text(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > MOST_TEXT_BYTES) {
            throw new IOException("a text of " + bytes.length + " bytes is too long to be kept");
        }
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static String text(ByteBuffer in) throws DamagedFileException {
        byte[] bytes = new byte[count(in, 1)];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** How many of something follow. */
    static int count(ByteBuffer in, int bytesOfEach) throws DamagedFileException {
        int count = in.getInt();
        if (count < 0 || count > in.remaining() / bytesOfEach) {
            throw new DamagedFileException("it is malformed");
        }
        return count;
    }
}
