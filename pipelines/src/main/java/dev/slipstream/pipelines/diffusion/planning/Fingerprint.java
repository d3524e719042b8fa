package dev.slipstream.pipelines.diffusion.planning;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What something is known by: a digest of all that decides how long plans take. Of a denoiser that is its structure,
 * and nothing of its weights' values, so that a model and the same with a LoRA are alike.
 */
public final class Fingerprint {
    private final MessageDigest digest;

    private Fingerprint() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Of texts, in this order. */
    public static String of(String... texts) {
        Fingerprint print = new Fingerprint();
        for (String text : texts) {
            print.add(text);
        }
        return print.hex();
    }

    /** Of a denoiser: its graph, how it is cut, and its precision. */
    public static String of(DenoiserGraph denoiser) {
        Fingerprint print = new Fingerprint();
        denoiser.graph().inputs().forEach(input -> print.digest.update(input.toByteArray()));
        denoiser.graph().nodes().forEach(node -> print.digest.update(node.toByteArray()));
        denoiser.graph().outputs().forEach(output -> print.digest.update(output.toByteArray()));
        denoiser.graph().weights().forEach((name, weight) -> print.add(name + type(weight)));
        print.add(denoiser.precision().toString());
        print.add(denoiser.cuts().toString());
        print.add(denoiser.joined().toString());
        return print.hex();
    }

    private static String type(TensorProto weight) {
        return " " + weight.getDataType() + weight.getDimsList();
    }

    private void add(String text) {
        digest.update((text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
