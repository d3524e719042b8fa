package dev.slipstream.pipelines.model.folder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.pipelines.model.folder.Inventory.FileNote.Use;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each file of a model folder is taken for. Only names and sizes count, so all of these files are empty. */
class ModelInventoryTest {
    private static final List<String> CHECKPOINT = List.of("model_index.json", "scheduler/scheduler_config.json",
        "text_encoder/config.json", "text_encoder/model.safetensors", "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors", "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
        "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json");
    private static final List<String> GRAPHS = List.of("model_index.json", "scheduler/scheduler_config.json",
        "text_encoder/model.onnx", "unet/model.onnx", "unet/config.json", "vae_decoder/model.onnx",
        "vae_encoder/model.onnx", "tokenizer/vocab.json", "tokenizer/merges.txt");

    @TempDir
    private Path top;

    private void write(String path, int bytes) throws IOException {
        Path file = top.resolve(path);
        Files.createDirectories(path.endsWith("/") ? file : file.getParent());
        if (!path.endsWith("/")) {
            Files.write(file, new byte[bytes]);
        }
    }

    private void write(List<String> paths) throws IOException {
        for (String path : paths) {
            write(path, 10);
        }
    }

    private Inventory inventory() {
        return ModelInventory.of(ModelFolder.open(top), Set.of());
    }

    private Use use(String path) {
        return inventory().entries().stream().filter(entry -> entry.path().equals(path)).findFirst().orElseThrow()
            .note().use();
    }

    @Test
    void whatModelsConsistOfIsRead() throws IOException {
        for (List<String> files : List.of(CHECKPOINT, GRAPHS)) {
            try (var old = Files.walk(top)) {
                old.sorted((one, other) -> other.compareTo(one)).filter(path -> !path.equals(top))
                    .forEach(path -> path.toFile().delete());
            }
            write(files);
            Inventory inventory = inventory();
            assertEquals(files.stream().sorted().toList(),
                inventory.entries(Use.READ).stream().map(Inventory.Entry::path).sorted().toList());
            assertEquals(files.size(), inventory.entries().size());
            assertEquals(List.of(), inventory.warnings());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"README.md", "LICENSE", "LICENSE.txt", "LICENSE-CODE.md", "license.pdf", "Notice",
        ".gitattributes", ".gitignore", ".git/", ".cache/", ".DS_Store", "grid.png", "sample.JPG", "images/",
        "demo.mp4", "README-lora.md", "sample_images/", "requirements.txt", "md5sum.txt", "SHA256SUMS", "config.json",
        "safety_checker/", "feature_extractor/", "v1-inference.yaml", "v1-5-pruned.ckpt",
        "sd_xl_base_1.0.safetensors", "optimizer.bin", "scheduler.bin", "random_states_0.pkl", "trainer_state.json",
        "checkpoint-500/", "logs/", "wandb/", "events.out.tfevents.17.host",
        "unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.non_ema.safetensors",
        "unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.fp16.bin",
        "unet/diffusion_flax_model.msgpack", "unet/openvino_model.xml", "unet/openvino_model.bin",
        "unet/optimizer.pt", "text_encoder/flax_model.msgpack", "text_encoder/pytorch_model.bin",
        "text_encoder/pytorch_model.bin.index.json", "text_encoder/tf_model.h5", "text_encoder/model.fp16.safetensors",
        "text_encoder/generation_config.json", "tokenizer/vocab.json", "tokenizer/merges.txt",
        "tokenizer/spiece.model", "tokenizer/README.md", "unet/README.md", "unet/.gitattributes"})
    void whatSaysNothingIsKnown(String path) throws IOException {
        write(CHECKPOINT);
        write(path, 100);
        assertEquals(Use.SILENT, use(path));
        assertEquals(List.of(), inventory().warnings());
    }

    @ParameterizedTest
    @ValueSource(strings = {"notes.json", "controlnet/x", "image_encoder/model.safetensors",
        "text_encoder_4/config.json", "vae_1_0/config.json", "transformer/config.json", "pipeline.py",
        "unet/block.py", "unet/config.json.bak", "unet/quantization_config.json", "unet/backup/x",
        "scheduler/other.json", "tokenizer/extra.json",
        "learned_embeds.safetensors", "learned_embeds.bin", "pytorch_lora_weights.safetensors",
        "unet/adapter_config.json", "sd_xl_offset_example-lora_1.0.safetensors", "unet/model.safetensors",
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.json",
        "small.safetensors"})
    void whatMaySaySomethingIsNamedInAWarning(String path) throws IOException {
        write(CHECKPOINT);
        write(path, 1);
        // A folder whose contents are not listed is named as a whole.
        String shown = path.replaceFirst("^(unet/backup/|(?!unet|scheduler|tokenizer)\\w+/).*", "$1");
        assertEquals(Use.UNREAD, use(shown));
        assertEquals(1, inventory().warnings().size());
        assertTrue(inventory().warnings().getFirst().contains(shown), inventory().warnings()::toString);
    }

    @ParameterizedTest
    @CsvSource({"unet/model.onnx_data, READ", "unet/model.onnx.data, READ", "unet/weights.pb, READ",
        "unet/onnx__MatMul_9123, READ", "unet/down_blocks.0.resnets.0.conv1.weight, READ",
        "unet/diffusion_pytorch_model.safetensors, SILENT", "unet/model_fp16.onnx, SILENT",
        "unet/openvino_model.bin, SILENT", "vae/config.json, SILENT", "transformer/x, UNREAD",
        "unet/other.json, UNREAD",
        "tokenizer/special_tokens_map.json, READ", "tokenizer/spiece.model, UNREAD"})
    void besideGraphs(String path, Use use) throws IOException {
        write(GRAPHS);
        write(path, 1);
        assertEquals(use, use(path.replaceFirst("^(vae|transformer)/.*", "$1/")));
    }

    @Test
    void shardsOfTheVariantThatIsTakenAreRead() throws IOException {
        write(CHECKPOINT);
        Files.delete(top.resolve("unet/diffusion_pytorch_model.safetensors"));
        List<String> taken = List.of("unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
            "unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors",
            "unet/diffusion_pytorch_model.safetensors.index.fp16.json");
        write(taken);
        taken.forEach(path -> assertEquals(Use.READ, use(path), path));
        write("unet/diffusion_pytorch_model.fp16.safetensors", 1);
        assertEquals(Use.READ, use("unet/diffusion_pytorch_model.fp16.safetensors"));
        taken.forEach(path -> assertEquals(Use.UNREAD, use(path), path));
        String warning = inventory().warnings().getFirst();
        assertTrue(warning.contains("twice; diffusion_pytorch_model.fp16.safetensors is taken"), warning);
    }

    @Test
    void filesThatOpenedGraphsReferToAreReadWhateverTheirNames() throws IOException {
        write(GRAPHS);
        write("unet/any name", 1);
        Set<Path> referred = Set.of(top.toAbsolutePath().normalize().resolve("unet/any name"));
        assertEquals(1, inventory().warnings().size());
        assertEquals(List.of(), ModelInventory.of(ModelFolder.open(top), referred).warnings());
    }

    @Test
    void manyFilesAreFoldedAndNamesCannotMoveTheCursor() throws IOException {
        write(CHECKPOINT);
        for (int i = 0; i < 20; i++) {
            write("unknown" + i + ".json", 1);
        }
        try {
            write("a\u001b[2J\nb.json", 1);
        } catch (FileSystemException notHere) {
            assumeTrue(false, "such names are not possible here: " + notHere);
        }
        Inventory inventory = inventory();
        assertEquals(1, inventory.warnings().size());
        String warning = inventory.warnings().getFirst();
        assertTrue(warning.contains("a?[2J?b.json, ") && warning.contains(" and 13 more in "), warning);
        assertTrue(inventory.toString().contains("\nnot read\n  a?[2J?b.json\n"), inventory::toString);
        assertFalse(inventory.toString().contains("\u001b"));
    }

    @Test
    void linksAreFilesAndLinkedFoldersOutsideAreNotFollowed(@TempDir Path outside) throws IOException {
        write(CHECKPOINT);
        try {
            Files.createSymbolicLink(top.resolve("elsewhere"), Files.createFile(outside.resolve("x")).getParent());
            Files.createSymbolicLink(top.resolve("unet/again"), top.resolve("unet"));
            Files.delete(top.resolve("unet/config.json"));
            Files.createSymbolicLink(top.resolve("unet/config.json"), Path.of("../blobs/0123"));
        } catch (IOException | UnsupportedOperationException notHere) {
            assumeTrue(false, "symbolic links are not possible here: " + notHere);
        }
        assertEquals(Use.UNREAD, use("elsewhere/"));
        assertEquals(Use.UNREAD, use("unet/again/"));
        assertEquals(Use.READ, use("unet/config.json"));
        assertEquals(CHECKPOINT.size() + 2, inventory().entries().size());
    }
}
