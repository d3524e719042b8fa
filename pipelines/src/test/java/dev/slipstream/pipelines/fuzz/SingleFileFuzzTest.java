package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.original.OriginalLayout;
import dev.slipstream.pipelines.model.original.SingleFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

class SingleFileFuzzTest {
    /** Names and shapes of all tables, and pieces that mean something in them. */
    private static final Map<String, long[]> TENSORS = new LinkedHashMap<>();
    private static final List<String> PIECES = List.of("model.diffusion_model.", "first_stage_model.", "input_blocks",
        "output_blocks", "middle_block", ".0.", ".1.", ".2.", ".9999.", "0.op", "in_layers.0", "conv.weight", ".bias",
        "qkv", "linear1", "img_attn", "joint_blocks.0", "context_block", "single_blocks.0", "final_layer",
        "adaLN_modulation.1", "text_projection", "positional_embedding", "in_proj_weight", "decoder.up", "attn_1",
        "[4,4,1,1]", "[12,4]", "[4]", "[28,4]", "[0]", "[]", "[3]", "F32", "F16", "F8_E4M3", "I64", "scale_weight",
        "weight_scale", "text_encoders.clip_l.", "encoder.embed_tokens", "shared.weight");

    static {
        for (String name : List.of("input_blocks.0.0", "input_blocks.1.0.in_layers.0", "input_blocks.2.0.op",
            "input_blocks.3.1.proj_in", "output_blocks.1.1.conv", "output_blocks.0.0.skip_connection", "time_embed.0",
            "middle_block.1.norm", "label_emb.0.0")) {
            TENSORS.put("model.diffusion_model." + name + ".weight", new long[] {4});
        }
        for (String name : List.of("decoder.conv_in", "decoder.mid.block_1.norm1", "decoder.up.0.block.0.conv1",
            "decoder.up.1.upsample.conv")) {
            TENSORS.put("first_stage_model." + name + ".weight", new long[] {4});
        }
        TENSORS.put("first_stage_model.decoder.mid.attn_1.q.weight", new long[] {4, 4, 1, 1});
        String open = "conditioner.embedders.1.model.";
        TENSORS.put(open + "token_embedding.weight", new long[] {6, 4});
        TENSORS.put(open + "transformer.resblocks.0.attn.in_proj_weight", new long[] {12, 4});
        TENSORS.put(open + "text_projection", new long[] {4, 3});
        TENSORS.put("text_encoders.clip_l.transformer.text_model.embeddings.token_embedding.weight", new long[] {6, 4});
        TENSORS.put("text_encoders.clip_l.transformer.text_model.final_layer_norm.weight", new long[] {4});
        TENSORS.put("text_encoders.t5xxl.transformer.encoder.block.0.layer.0.SelfAttention.q.weight",
            new long[] {4, 4});
        TENSORS.put("text_encoders.t5xxl.transformer.encoder.embed_tokens.weight", new long[] {6, 4});
        TENSORS.put("img_in.weight", new long[] {4, 4});
        TENSORS.put("double_blocks.0.img_attn.qkv.weight", new long[] {12, 4});
        TENSORS.put("single_blocks.0.linear1.weight", new long[] {28, 4});
        TENSORS.put("final_layer.adaLN_modulation.1.weight", new long[] {8, 4});
        TENSORS.put("betas", new long[] {4});
        TENSORS.put("something.else", new long[] {4});
    }

    @TempDir
    private Path folder;

    @Test
    void damagedFilesAreOpenedOrRefused(TestReporter reporter) throws IOException, InterruptedException {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        TENSORS.forEach((name, dims) -> tensors.put(name,
            StoredTensor.of(Shape.of(dims), new float[(int) Shape.of(dims).elements()])));
        Path file = folder.resolve("damaged.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        byte[] whole = Files.readAllBytes(file);
        WeightStore store = new WeightStore(folder.resolve("store"), 0);
        Fuzz.Outcome outcome = new Fuzz("single files", 4 << 20, 128).run(Fuzz.tries(1000),
            random -> damaged(whole, random), bytes -> {
                Files.write(file, bytes);
                try (SingleFile opened = SingleFile.open(file, file, store)) {
                    for (OriginalLayout.Module module : opened.layout().modules().values()) {
                        module.weights().open(store).claim().ifPresent(WeightStore.Claim::close);
                    }
                }
            });
        reporter.publishEntry("fuzz single files", outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > 0, outcome::toString);
    }

    /** Names, types and shapes become others, or bytes anywhere; the header's length is right again. */
    private static byte[] damaged(byte[] whole, Random random) {
        int length = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String header = new String(whole, Long.BYTES, length, StandardCharsets.UTF_8);
        byte[] data = Arrays.copyOfRange(whole, Long.BYTES + length, whole.length);
        for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
            String piece = PIECES.get(random.nextInt(PIECES.size()));
            String other = PIECES.get(random.nextInt(PIECES.size()));
            int at = header.indexOf(piece, random.nextInt(header.length() + 1));
            if (at >= 0) {
                header = header.substring(0, at) + other + header.substring(at + piece.length());
            } else {
                header = new String(ByteDamage.damage(header.getBytes(StandardCharsets.ISO_8859_1), whole, random),
                    StandardCharsets.ISO_8859_1);
            }
        }
        byte[] changed = header.getBytes(StandardCharsets.ISO_8859_1);
        return ByteDamage.join(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(changed.length)
            .array(), changed, data);
    }
}
