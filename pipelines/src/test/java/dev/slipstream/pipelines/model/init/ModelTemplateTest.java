package dev.slipstream.pipelines.model.init;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.diffusion.text.Tokens;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.clip.ClipTextModel;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily.FamilySettings;
import dev.slipstream.pipelines.model.init.ModelTemplate.WrittenPart;
import dev.slipstream.pipelines.model.kind.ComponentKind;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.unet.UNet;
import dev.slipstream.pipelines.model.vae.AutoencoderKl;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ModelTemplateTest {
    @TempDir
    private Path folder;

    private Path write(ModelFamily family) {
        Path model = folder.resolve(family.id());
        ModelTemplate.of(family, true).write(model);
        return model;
    }

    @ParameterizedTest
    @EnumSource(ModelFamily.class)
    void everyWeightOfATinyModelIsUsedAndEveryTokenizerRead(ModelFamily family) throws IOException {
        Path model = write(family);
        for (WrittenPart part : ModelTemplate.of(family, true).write(folder.resolve("again"))) {
            Path home = model.resolve(part.name());
            if (part.parameters() > 0) {
                ConfigFile config = ConfigFile.read(home.resolve("config.json"));
                ComponentKind kind = ComponentKinds.of(config, part.className());
                boolean joined = part.name().equals("motion_adapter");
                Path base = model.resolve("unet");
                GraphOptions options = joined
                    ? GraphOptions.NONE.withBase(ConfigFile.read(base.resolve("config.json"))) : GraphOptions.NONE;
                Checkpoint weights = joined ? Checkpoint.open(home).with(Checkpoint.open(base)) : Checkpoint.open(home);
                assertEquals(kind.weights(config, options).keySet(), weights.weights().keySet());
                Set<String> unused = new HashSet<>(weights.weights().keySet());
                kind.graphs().forEach(graph -> unused.retainAll(graph.write(config, weights, options).ignored()));
                assertEquals(Set.of(), unused, part.name());
            } else if (part.name().startsWith("tokenizer")) {
                try (Tokenizer read = Tokenizer.open(home)) {
                    assertTrue(read.encode("a large red star").ids().length >= 77);
                }
            }
        }
    }

    private static Stream<ModelFamily> withUNets() {
        return Arrays.stream(ModelFamily.values()).filter(family -> {
            JsonObject unet = FamilySettings.read(family, true).folders().get("unet");
            return unet != null && unet.get("_class_name").getAsString().equals("UNet2DConditionModel");
        });
    }

    @ParameterizedTest
    @MethodSource("withUNets")
    void everyPartOfATinyModelIsRead(ModelFamily family) throws IOException {
        Path model = write(family);

        ModelFolder.open(model);
        ConfigFile unet = ConfigFile.read(model.resolve("unet").resolve("config.json"));
        assertEquals(List.of(), UNet.read(model.resolve("unet")).ignored());
        ConfigFile vae = ConfigFile.read(model.resolve("vae").resolve("config.json"));
        Checkpoint autoencoder = Checkpoint.open(model.resolve("vae"));
        AutoencoderKl.encoder(vae, autoencoder);
        AutoencoderKl.decoder(vae, autoencoder);
        NoiseScheduler.parse(Files.readString(model.resolve("scheduler").resolve("scheduler_config.json")), "it");
        long width = 0;
        for (Path encoder : encoders(model)) {
            ConfigFile config = ConfigFile.read(encoder.resolve("config.json"));
            BuiltGraph graph = ClipTextModel.write(config, Checkpoint.open(encoder));
            assertEquals(List.of(), graph.ignored());
            width += config.positiveInteger("hidden_size");
            checkTokenizer(model.resolve(encoder.getFileName().toString().replace("text_encoder", "tokenizer")),
                config.positiveInteger("vocab_size"));
        }
        assertEquals(width, DenoiserConfig.of(unet).crossAttentionDim().orElseThrow());
    }

    private static List<Path> encoders(Path model) throws IOException {
        try (Stream<Path> parts = Files.list(model)) {
            return parts.filter(part -> part.getFileName().toString().startsWith("text_encoder")).sorted().toList();
        }
    }

    private static void checkTokenizer(Path tokenizer, int size) {
        try (Tokenizer read = Tokenizer.open(tokenizer)) {
            Tokens tokens = read.encode("a large red star");
            assertEquals(77, tokens.ids().length);
            assertEquals(size - 2, tokens.ids()[0]);
            assertEquals(size - 1, tokens.ids()[5], "a word of the vocabulary is one token");
            // Letters, signs and what is not Latin: no text is unknown, whatever the bytes.
            assertTrue(read.encode("xylophone, 7 日本 Ünïcode").ids()[10] < 512);
        }
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"SD15", "SD21", "SDXL", "INPAINT", "X4_UPSCALER"})
    void thePublishedCutsApplyToTinyModels(ModelFamily family) {
        ConfigFile config = ConfigFile.read(write(family).resolve("unet").resolve("config.json"));
        for (int components = 2; components <= 4; components++) {
            assertTrue(Cuts.reference(config.root(), components).isPresent(), components + " components");
        }
    }

    @ParameterizedTest
    @CsvSource({"SD15,859520964", "INPAINT,859535364", "SD21,865910724", "SDXL,2567463684"})
    void theRealSizesAreThoseOfPublishedModels(ModelFamily family, long published) {
        assertEquals(published, parameters(family));
    }

    @Test
    void theFamiliesWithoutAPublishedCountAreAsLargeAsIsSaid() {
        assertEquals(2.3e9, parameters(ModelFamily.SDXL_REFINER), 0.05e9);
        assertEquals(473e6, parameters(ModelFamily.X4_UPSCALER), 1e6);
    }

    @Test
    void denoisersOfVideosAreAsLargeAsThePublishedOnes() {
        ModelFamily.FamilySettings svd = ModelFamily.FamilySettings.read(ModelFamily.SVD, false);
        ConfigFile unet = new ConfigFile(folder.resolve("config.json"), svd.folders().get("unet"));
        assertEquals(1_524_623_082L, ComponentKinds.of(unet).weights(unet).values().stream()
            .mapToLong(Shape::elements).sum());
        ModelFamily.FamilySettings moving = ModelFamily.FamilySettings.read(ModelFamily.ANIMATEDIFF, false);
        ConfigFile adapter = new ConfigFile(folder.resolve("config.json"), moving.folders().get("motion_adapter"));
        ConfigFile base = new ConfigFile(folder.resolve("config.json"), moving.folders().get("unet"));
        assertEquals(1313e6, ComponentKinds.of(adapter).weights(adapter, GraphOptions.NONE.withBase(base)).values()
            .stream().mapToLong(Shape::elements).sum(), 1e6);
    }

    private long parameters(ModelFamily family) {
        ModelFamily.FamilySettings settings = ModelFamily.FamilySettings.read(family, false);
        return UNet.weights(new ConfigFile(folder.resolve("config.json"), settings.folders().get("unet"))).values()
            .stream().mapToLong(Shape::elements).sum();
    }

    @Test
    void theSameSeedGivesTheSameWeightsAndAnotherSeedOthers() {
        float[] first = weight(ModelTemplate.of(ModelFamily.SD15, true), "first");
        assertArrayEquals(first, weight(ModelTemplate.of(ModelFamily.SD15, true), "second"));
        assertFalse(Arrays.equals(first,
            weight(ModelTemplate.of(ModelFamily.SD15, true).withSeed(1), "third")));
    }

    private float[] weight(ModelTemplate template, String name) {
        template.write(folder.resolve(name));
        try (ComponentWeights weights = ComponentWeights.open(folder.resolve(name).resolve("unet"))) {
            return weights.tensor("conv_in.weight").toFloats();
        }
    }

    @Test
    void aHollowModelHasAllWeightsAsZeros() throws IOException {
        Path model = folder.resolve("hollow");
        List<WrittenPart> parts = ModelTemplate.of(ModelFamily.SD15, true).hollowed().write(model);

        assertEquals(ModelTemplate.of(ModelFamily.SD15, true).write(folder.resolve("full")), parts);
        Checkpoint full = Checkpoint.open(folder.resolve("full/unet"));
        Checkpoint hollow = Checkpoint.open(model.resolve("unet"));
        assertEquals(full.weights().keySet(), hollow.weights().keySet());
        byte[] file = Files.readAllBytes(model.resolve("unet/diffusion_pytorch_model.safetensors"));
        assertEquals(Files.size(folder.resolve("full/unet/diffusion_pytorch_model.safetensors")), file.length);
        assertEquals(0, file[file.length - 1]);
    }

    @Test
    void weightsAreOfTheTypeThatIsAskedFor() {
        for (StoredType type : ModelTemplate.TYPES) {
            Path model = folder.resolve(type.name());
            List<WrittenPart> parts = ModelTemplate.of(ModelFamily.SD15, true).withType(type).write(model);
            WrittenPart unet = parts.stream().filter(part -> part.name().equals("unet")).findFirst().orElseThrow();
            assertEquals(unet.parameters() * type.bytes(), unet.bytes());
            try (ComponentWeights weights = ComponentWeights.open(model.resolve("unet"))) {
                for (StoredTensor tensor : weights.tensors().values()) {
                    assertEquals(type, tensor.type());
                }
                assertNotEquals(0, weights.tensor("conv_in.weight").toFloats()[0]);
            }
        }
    }

    @Test
    void aFolderWithSomethingInItIsRefusedAndStaysAsItIs() throws IOException {
        Path file = Files.writeString(folder.resolve("mine.txt"), "mine");
        ModelTemplate template = ModelTemplate.of(ModelFamily.SD15, true);
        ModelException refused = assertThrows(ModelException.class, () -> template.write(folder));
        assertEquals("cannot write a model to " + folder + ": it is not empty; give a new folder",
            refused.getMessage());
        assertThrows(ModelException.class, () -> template.write(file));
        assertEquals("mine", Files.readString(file));
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(file), left.toList());
        }
    }

    @Test
    void anEmptyFolderIsFilled() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        ModelTemplate.of(ModelFamily.SD15, true).write(empty);
        assertTrue(ComponentWeights.isIn(empty.resolve("unet")));
    }

    @Test
    void aFamilyThatIsNotKnownIsRefusedWithThoseThatAre() {
        ModelException refused = assertThrows(ModelException.class, () -> ModelFamily.of("sd3"));
        assertTrue(refused.getMessage().endsWith("there are sd15, sd21, sdxl, sdxl-refiner, inpaint, x4-upscaler, "
            + "sd3-medium, sd35-medium, sd35-large, flux-dev, flux-schnell, flux-fill, flux-control, pixart-alpha, "
            + "pixart-sigma, dit, controlnet-sd15, controlnet-sdxl, controlnet-sd3, taesd, svd, svd-xt, "
            + "animatediff"));
    }
}
