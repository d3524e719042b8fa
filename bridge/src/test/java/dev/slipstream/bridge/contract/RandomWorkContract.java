package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Random work on many streams of two devices, ordered by events alone, against the same work done one after the other.
 */
public interface RandomWorkContract {
    int STREAMS = 6;
    int BUFFERS = 8;
    int ELEMENTS = 300;
    int OPERATIONS = 2000;

    DeviceFixture fixture();

    @Test
    default void randomWorkOnManyStreamsIsThatOfOneAfterTheOther() {
        long seed = Long.getLong("seed", new Random().nextLong());
        Work work = new Work(fixture(), new Random(seed));
        for (int i = 0; i < OPERATIONS; i++) {
            work.next();
        }
        work.streams.forEach(Stream::synchronize);
        for (int i = 0; i < BUFFERS; i++) {
            assertArrayEquals(work.expected[i], fixture().read(work.buffers.get(i)), 1e-4f,
                "buffer " + i + " (repeat with -Dseed=" + seed + ")");
        }
    }

    /** Buffers with even numbers are on one device, those with odd ones on the other; streams alike. */
    final class Work {
        private final Random random;
        private final List<Stream> streams = new ArrayList<>();
        private final List<Buffer> buffers = new ArrayList<>();
        private final float[][] expected = new float[BUFFERS][ELEMENTS];
        private final List<Event> written = new ArrayList<>();
        private final List<List<Event>> readBy = new ArrayList<>();
        private final List<Set<Integer>> readers = new ArrayList<>();

        Work(DeviceFixture fixture, Random random) {
            this.random = random;
            for (int i = 0; i < STREAMS; i++) {
                streams.add(fixture.stream(i % 2 == 0 ? fixture.device() : fixture.other()));
            }
            for (int i = 0; i < BUFFERS; i++) {
                for (int k = 0; k < ELEMENTS; k++) {
                    expected[i][k] = random.nextFloat() - 0.5f;
                }
                buffers.add(fixture.floats(i % 2 == 0 ? fixture.device() : fixture.other(), expected[i]));
                written.add(fixture.event());
                readBy.add(IntStream.range(0, STREAMS).mapToObj(stream -> fixture.event()).toList());
                readers.add(new HashSet<>());
            }
        }

        void next() {
            int stream = random.nextInt(STREAMS);
            int out = 2 * random.nextInt(BUFFERS / 2) + stream % 2;
            if (random.nextInt(3) == 0) {
                int from = random.nextInt(BUFFERS);
                order(stream, out, List.of(from));
                streams.get(stream).copy(buffers.get(from).all(), buffers.get(out).all());
                expected[out] = expected[from].clone();
                done(stream, out, List.of(from));
            } else {
                List<Integer> inputs = random.ints(1 + random.nextInt(Combination.MAX_TERMS), 0, BUFFERS / 2)
                    .map(i -> 2 * i + stream % 2).boxed().toList();
                List<Float> weights = inputs.stream().map(i -> (random.nextFloat() - 0.5f) / 2).toList();
                order(stream, out, inputs);
                streams.get(stream).combine(new Combination(buffers.get(out).all(),
                    inputs.stream().map(i -> buffers.get(i).all()).toList(), weights));
                expected[out] = combined(inputs, weights);
                done(stream, out, inputs);
            }
        }

        private float[] combined(List<Integer> inputs, List<Float> weights) {
            float[] sum = new float[ELEMENTS];
            for (int i = 0; i < inputs.size(); i++) {
                for (int k = 0; k < ELEMENTS; k++) {
                    sum[k] += weights.get(i) * expected[inputs.get(i)][k];
                }
            }
            return sum;
        }

        /** Waits for the last write of all that is read, and for all reads and the last write of what is written. */
        private void order(int stream, int out, List<Integer> inputs) {
            Stream queue = streams.get(stream);
            inputs.forEach(input -> queue.await(written.get(input)));
            queue.await(written.get(out));
            readers.get(out).forEach(reader -> queue.await(readBy.get(out).get(reader)));
        }

        private void done(int stream, int out, List<Integer> inputs) {
            readers.get(out).clear();
            streams.get(stream).record(written.get(out));
            for (int input : inputs) {
                streams.get(stream).record(readBy.get(input).get(stream));
                readers.get(input).add(stream);
            }
        }
    }
}
