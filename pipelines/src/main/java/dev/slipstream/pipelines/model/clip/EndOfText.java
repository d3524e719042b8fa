package dev.slipstream.pipelines.model.clip;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import java.util.List;

/** Picks what stands at the end of each text. */
final class EndOfText {
    /** What configurations of old say by mistake; models that have it look for the largest id instead. */
    private static final int HISTORICAL = 2;

    private EndOfText() {
    }

    /**
     * The state at the first end-of-text token, which is the token with the largest id in the vocabularies of models
     * whose configuration says {@link #HISTORICAL}. In a row without that token it is the state at the first token.
     *
     * @param states [rows, tokens, width]
     * @param ids int64[rows, tokens]
     * @return [rows, width]
     */
    static Value pick(Scope scope, Value states, Value ids, int endOfText) {
        Value found = endOfText == HISTORICAL ? ids
            : scope.node("Equal", List.of(ids, scope.integers(endOfText)), Attributes.NONE, DataType.BOOL, ids.dims());
        Value position = scope.node("ArgMax", List.of(scope.cast(found, DataType.INT32)),
            Attributes.NONE.integer("axis", 1).integer("keepdims", 1), DataType.INT64,
            List.of(ids.dim(0), Dim.ONE));
        return scope.node("GatherND", List.of(states, position), Attributes.NONE.integer("batch_dims", 1),
            states.type(), List.of(states.dim(0), states.dim(2)));
    }
}
