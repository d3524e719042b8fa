package dev.slipstream.pipelines.model.mmdit;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.transformer.Attention;
import dev.slipstream.pipelines.model.transformer.Attention.Layers;
import dev.slipstream.pipelines.model.transformer.Attention.Parts;
import dev.slipstream.pipelines.model.transformer.FeedForward;
import dev.slipstream.pipelines.model.transformer.Modulation;
import dev.slipstream.pipelines.model.transformer.Tokens;
import java.util.List;
import java.util.Optional;

/**
 * diffusers' {@code JointTransformerBlock}: picture and text, each with weights of its own, attend to both.
 *
 * @param dual whether the picture attends to itself once more
 * @param textEnds whether the text is only read here, and has no weights for more
 */
record JointBlock(Attention attention, boolean dual, boolean textEnds) {
    private static final double EPSILON = 1e-6;

    /** The streams between blocks. @param picture [rows, patches, width] @param text [rows, tokens, width] */
    record Streams(Value picture, Value text) {
    }

    /** @param conditions activated, [rows, width] */
    Streams apply(Scope scope, Streams streams, Value conditions) {
        Value picture = streams.picture();
        Value text = streams.text();
        // Shift, scale and gate of the attention, of the feed-forward network, and of the second attention.
        List<Value> ofPicture = modulation(scope, "norm1", conditions, dual ? 9 : 6);
        // A text that ends here has the scale first.
        List<Value> ofText = textEnds ? modulation(scope, "norm1_context", conditions, 2).reversed()
            : modulation(scope, "norm1_context", conditions, 6);
        Value normal = Modulation.normal(scope.child("norm1"), picture, EPSILON);
        Value asked = modulated(scope, "norm1", normal, ofPicture, 0);
        Value told = modulated(scope, "norm1_context",
            Modulation.normal(scope.child("norm1_context"), text, EPSILON), ofText, 0);

        Scope joint = scope.child("attn");
        Parts first = attention.parts(joint, Layers.OWN, asked);
        Parts second = textEnds ? attention.answersAlone(joint, Layers.ADDED, told)
            : attention.parts(joint, Layers.ADDED, told);
        Value mixed = attention.mix(joint, first.then(joint, second), Optional.empty());
        List<Value> each = textEnds ? List.of(mixed) : joint.split(mixed, 1, List.of(picture, text));

        Value own = Modulation.gated(scope, picture, ofPicture.get(2),
            Attention.out(joint, "to_out.0", each.getFirst(), attention.width()));
        if (dual) {
            Value again = modulated(scope, "norm1", normal, ofPicture, 6);
            own = Modulation.gated(scope, own, ofPicture.get(8),
                attention.apply(scope.child("attn2"), again, again, Optional.empty()));
        }
        Value drawn = fed(scope, "", own, ofPicture);
        if (textEnds) {
            return new Streams(drawn, text);
        }
        Value read = Modulation.gated(scope, text, ofText.get(2),
            Attention.out(joint, "to_add_out", each.getLast(), attention.width()));
        return new Streams(drawn, fed(scope, "_context", read, ofText));
    }

    private List<Value> modulation(Scope scope, String norm, Value conditions, int parts) {
        return Modulation.of(scope.child(norm).child("linear"), conditions, attention.width(), parts);
    }

    /** @param first where in the modulation the shift is, which the scale follows */
    private static Value modulated(Scope scope, String norm, Value normal, List<Value> modulation, int first) {
        return Modulation.apply(scope.child(norm), normal, modulation.get(first), modulation.get(first + 1));
    }

    /** The feed-forward network of a stream. */
    private static Value fed(Scope scope, String stream, Value x, List<Value> modulation) {
        Scope norm = scope.child("norm2" + stream);
        Value normal = modulated(scope, "norm2" + stream, Modulation.normal(norm, x, EPSILON), modulation, 3);
        return Modulation.gated(scope, x, modulation.get(5),
            FeedForward.apply(scope.child("ff" + stream), Tokens.matrix(norm, normal)));
    }
}
