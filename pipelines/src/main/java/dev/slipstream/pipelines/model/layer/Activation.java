package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Elementwise functions that configurations name. */
public enum Activation {
    /** {@code x · sigmoid(x)}. */
    SILU("silu", "swish") {
        @Override
        public Value apply(Scope scope, Value x) {
            return scope.mul(x, scope.map("Sigmoid", x));
        }
    },
    /** {@code x / 2 · (1 + erf(x / √2))}, in the order of operations that engines recognise. */
    GELU("gelu") {
        @Override
        public Value apply(Scope scope, Value x) {
            Value erf = scope.map("Erf", scope.div(x, scope.scalar(Math.sqrt(2))));
            return scope.mul(scope.mul(x, scope.add(erf, scope.scalar(1))), scope.scalar(0.5));
        }
    },
    /** {@code x · sigmoid(1.702 x)}. */
    QUICK_GELU("quick_gelu") {
        @Override
        public Value apply(Scope scope, Value x) {
            return scope.mul(x, scope.map("Sigmoid", scope.mul(x, scope.scalar(1.702))));
        }
    },
    /**
     * {@code x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))}, an approximation of {@link #GELU}, in the order of
     * operations that engines recognise, and in which no power of x is made that could overflow in half precision.
     */
    GELU_TANH("gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu-approximate") {
        @Override
        public Value apply(Scope scope, Value x) {
            Value grown = scope.add(scope.mul(scope.mul(x, scope.scalar(0.044715)), x), scope.scalar(1));
            Value inner = scope.mul(scope.mul(x, scope.scalar(Math.sqrt(2 / Math.PI))), grown);
            return scope.mul(scope.mul(x, scope.scalar(0.5)), scope.add(scope.map("Tanh", inner), scope.scalar(1)));
        }
    },
    RELU("relu") {
        @Override
        public Value apply(Scope scope, Value x) {
            return scope.map("Relu", x);
        }
    },
    /** {@code x · tanh(softplus(x))}. */
    MISH("mish") {
        @Override
        public Value apply(Scope scope, Value x) {
            return scope.mul(x, scope.map("Tanh", scope.map("Softplus", x)));
        }
    };

    private final String[] names;

    Activation(String... names) {
        this.names = names;
    }

    public abstract Value apply(Scope scope, Value x);

    /** The activation of a name that diffusers or transformers gives it; empty if there is none. */
    public static Optional<Activation> named(String name) {
        return Arrays.stream(values()).filter(it -> Arrays.asList(it.names).contains(name)).findFirst();
    }

    /** @throws dev.slipstream.pipelines.model.ModelException if the setting names no activation that is known */
    public static Activation of(ConfigFile config, String key, Activation otherwise) {
        return config.text(key).map(name -> named(name)
            .orElseThrow(() -> config.wrong(key, "is \"" + name + "\", which is not supported; supported are "
                + Arrays.stream(values()).flatMap(it -> Stream.of(it.names)).collect(Collectors.joining(", ")))))
            .orElse(otherwise);
    }
}
