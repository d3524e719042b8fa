package dev.slipstream.pipelines.diffusion.family;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** How a model's family is found. */
class FamilyTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = {"CONTROLNET_SD15", "CONTROLNET_SDXL", "CONTROLNET_SD3", "TAESD"})
    void aDenoiserIsOfItsClassOrWithoutOneOfTheFamilyThatItLooksLike(ModelFamily template) {
        ModelTemplate.of(template, true).write(folder);
        try (ModelFolder model = ModelFolder.open(folder)) {
            DenoiserGraph denoiser = DenoiserGraph.read(model, ComponentFormat.CHECKPOINT);
            Family family = Family.of(denoiser);
            assertEquals(denoiser.className().orElseThrow(), family.denoiser());
            assertEquals(family, Family.of(of(denoiser, config -> config.remove("_class_name"))));
            assertEquals(family,
                Family.of(of(denoiser, config -> config.addProperty("_class_name", "RenamedTransformer"))));

            LoopForm form = family.form();
            DenoiserConfig config = form.config(model.denoiserConfig(form.usualSide()));
            ModelParts parts = new ModelParts(model, form.adapt(denoiser, config.outChannels()), config);
            assertEquals(1, family.variants().stream().filter(variant -> variant.of().test(parts)).count());
            String pipeline = model.pipelineClass().orElseThrow();
            assertEquals(1, family.variants().stream().filter(variant -> variant.of().test(parts)
                && variant.pipelines().contains(pipeline)).count(), pipeline);
        }
    }

    private static DenoiserGraph of(DenoiserGraph denoiser, Consumer<JsonObject> change) {
        JsonObject config = denoiser.config().deepCopy();
        change.accept(config);
        return new DenoiserGraph(denoiser.name(), denoiser.graph(), config, denoiser.cuts());
    }
}
