package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Limit;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.run.Value.Access;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** One thing to do, in terms of values; the {@link Lowering} makes an {@link Instruction} of it. */
sealed interface Work {
    int stream();

    int step();

    Collection<Access> reads();

    Collection<Access> writes();

    record Run(int stream, int step, int stage, Map<String, Access> inputs, Map<String, Access> outputs)
        implements Work {
        @Override
        public Collection<Access> reads() {
            return inputs.values();
        }

        @Override
        public Collection<Access> writes() {
            return outputs.values();
        }
    }

    record Copy(int stream, int step, Access from, Access to) implements Work {
        @Override
        public Collection<Access> reads() {
            return List.of(from);
        }

        @Override
        public Collection<Access> writes() {
            return List.of(to);
        }
    }

    /** Of what a stage made. The mark only ever changes on this stream, so it counts as read. */
    record Guard(int stream, int step, int stage, String tensor, TensorType type, Access value, Access mark)
        implements Work {
        @Override
        public Collection<Access> reads() {
            return List.of(value, mark);
        }

        @Override
        public Collection<Access> writes() {
            return List.of();
        }
    }

    /** The work space is written and read by this work alone. */
    record Rescale(int stream, int step, Access to, Access guided, Access text, Access space, int pictures,
        float strength) implements Work {
        @Override
        public Collection<Access> reads() {
            return List.of(guided, text);
        }

        @Override
        public Collection<Access> writes() {
            return List.of(to, space);
        }
    }

    record Limiting(int stream, int step, Access to, Access from, int pictures, Limit limit)
        implements Work {
        @Override
        public Collection<Access> reads() {
            return List.of(from);
        }

        @Override
        public Collection<Access> writes() {
            return List.of(to);
        }
    }

    record Combine(int stream, int step, Access to, List<Access> from, List<Float> weights) implements Work {
        @Override
        public Collection<Access> reads() {
            return from;
        }

        @Override
        public Collection<Access> writes() {
            return List.of(to);
        }
    }
}
