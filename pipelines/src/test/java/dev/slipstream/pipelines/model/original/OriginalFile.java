package dev.slipstream.pipelines.model.original;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.unet.OriginalNames;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Writes a folder of Stable Diffusion 1, 2 or XL as one file in the original layout, by rules of its own. */
final class OriginalFile {
    private static final Pattern LAYER = Pattern.compile("text_model\\.encoder\\.layers\\.(\\d+)\\.(.*)");

    private final Path model;
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

    OriginalFile(Path model) {
        this.model = model;
    }

    void unet() {
        read("unet").forEach((name, tensor) -> {
            int dot = name.lastIndexOf('.');
            Set<String> modules = read("unet").keySet().stream().map(it -> it.substring(0, it.lastIndexOf('.')))
                .collect(Collectors.toSet());
            tensors.put("model.diffusion_model." + new OriginalNames(modules).of(name.substring(0, dot)).orElseThrow()
                + name.substring(dot), tensor);
        });
    }

    void vae() {
        int levels = (int) read("vae").keySet().stream().filter(name ->
            name.matches("decoder\\.up_blocks\\.\\d+\\.resnets\\.0\\.conv1\\.weight")).count();
        read("vae").forEach((name, tensor) -> {
            String there = name.replaceAll("encoder\\.down_blocks\\.(\\d+)\\.resnets\\.", "encoder.down.$1.block.")
                .replaceAll("encoder\\.down_blocks\\.(\\d+)\\.downsamplers\\.0", "encoder.down.$1.downsample")
                .replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
                .replace("mid_block.attentions.0.group_norm", "mid.attn_1.norm")
                .replace("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out")
                .replace("mid_block.attentions.0.to_", "mid.attn_1.").replace("conv_shortcut", "nin_shortcut")
                .replace("conv_norm_out", "norm_out");
            for (int level = 0; level < levels; level++) {
                there = there.replace("up_blocks." + level + ".resnets.", "up." + (levels - 1 - level) + ".block.")
                    .replace("up_blocks." + level + ".upsamplers.0.", "up." + (levels - 1 - level) + ".upsample.");
            }
            boolean isPoint = there.contains("attn_1") && tensor.shape().rank() == 2;
            tensors.put("first_stage_model." + there, !isPoint ? tensor : new StoredTensor(tensor.type(),
                Shape.of(tensor.shape().dim(0), tensor.shape().dim(1), 1, 1), tensor.data()));
        });
    }

    void clip(String folder, String prefix) {
        read(folder).forEach((name, tensor) -> tensors.put(prefix + name, tensor));
    }

    /** @param further layers after the encoder's, which nothing reads */
    void openClip(String folder, String prefix, int further) {
        Map<String, StoredTensor> all = read(folder);
        int[] layers = {0};
        all.forEach((name, tensor) -> {
            Matcher layer = LAYER.matcher(name);
            if (!layer.matches()) {
                tensors.put(prefix + name.replace("text_model.embeddings.position_embedding.weight",
                    "positional_embedding").replace("text_model.embeddings.", "")
                    .replace("text_model.final_layer_norm", "ln_final").replace("text_projection.weight",
                    "text_projection"), name.equals("text_projection.weight") ? transposed(tensor) : tensor);
                return;
            }
            layers[0] = Math.max(layers[0], Integer.parseInt(layer.group(1)) + 1);
            String block = prefix + "transformer.resblocks." + layer.group(1) + ".";
            String rest = layer.group(2).replace("layer_norm", "ln_").replace("mlp.fc1", "mlp.c_fc")
                .replace("mlp.fc2", "mlp.c_proj").replace("self_attn.out_proj", "attn.out_proj");
            if (rest.startsWith("self_attn.q_proj.")) {
                String parameter = rest.substring(rest.lastIndexOf('.') + 1);
                tensors.put(block + "attn.in_proj_" + parameter, stacked(tensor, all.get(name.replace("q_proj",
                    "k_proj")), all.get(name.replace("q_proj", "v_proj"))));
            } else if (!rest.startsWith("self_attn.")) {
                tensors.put(block + rest, tensor);
            }
        });
        for (int i = 0; i < further; i++) {
            String last = prefix + "transformer.resblocks." + (layers[0] - 1) + ".";
            String next = prefix + "transformer.resblocks." + (layers[0] + i) + ".";
            new LinkedHashMap<>(tensors).forEach((name, tensor) -> {
                if (name.startsWith(last)) {
                    tensors.put(next + name.substring(last.length()), tensor);
                }
            });
        }
        tensors.put(prefix + "logit_scale", StoredTensor.of(Shape.of(), 1));
    }

    Path write(Path file) {
        tensors.put("alphas_cumprod", StoredTensor.of(Shape.of(2), 1, 2));
        tensors.put("model_ema.decay", StoredTensor.of(Shape.of(), 1));
        SafetensorsWriter.write(file, tensors, Map.of());
        return file;
    }

    private Map<String, StoredTensor> read(String folder) {
        Map<String, StoredTensor> copies = new LinkedHashMap<>();
        try (ComponentWeights weights = ComponentWeights.open(model.resolve(folder))) {
            weights.tensors().forEach((name, tensor) -> copies.put(name, new StoredTensor(tensor.type(),
                tensor.shape(), MemorySegment.ofArray(tensor.data().toArray(ValueLayout.JAVA_BYTE)))));
        }
        return copies;
    }

    private static StoredTensor stacked(StoredTensor... parts) {
        long[] dims = parts[0].shape().toArray();
        dims[0] *= parts.length;
        byte[] all = new byte[(int) Arrays.stream(parts).mapToLong(part -> part.data().byteSize()).sum()];
        int at = 0;
        for (StoredTensor part : parts) {
            byte[] bytes = part.data().toArray(ValueLayout.JAVA_BYTE);
            System.arraycopy(bytes, 0, all, at, bytes.length);
            at += bytes.length;
        }
        return new StoredTensor(parts[0].type(), Shape.of(dims), MemorySegment.ofArray(all));
    }

    private static StoredTensor transposed(StoredTensor tensor) {
        int rows = (int) tensor.shape().dim(0);
        int columns = (int) tensor.shape().dim(1);
        float[] from = tensor.toFloats();
        float[] to = new float[from.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                to[column * rows + row] = from[row * columns + column];
            }
        }
        return StoredTensor.of(tensor.type(), Shape.of(columns, rows), to);
    }
}
