package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many tokens the denoiser reads where tokenizer and text encoder disagree. */
class TextLengthTest {
    @TempDir
    private Path folder;

    private long tokens(String said) throws IOException {
        Path config = folder.resolve("tokenizer/tokenizer_config.json");
        Files.writeString(config, Files.readString(config)
            .replaceAll("\"model_max_length\": *[^,\\s}]+", "\"model_max_length\": " + said));
        try (LoadedModel model = LoadedModel.read(ModelFolder.open(folder), Precision.FP32)) {
            return model.texts().types(1).get(TextEncoders.STATES).shape().dim(1);
        }
    }

    @Test
    void aTokenizerNeverMakesMoreTokensThanTheEncoderHasPositions() throws IOException {
        ModelTemplate.of(ModelFamily.SD15, true).write(folder);
        for (String said : new String[] {"8192", "1000000000000000019884624838656", "512", "null"}) {
            assertEquals(77, tokens(said), said);
        }
        assertEquals(20, tokens("20"));
    }
}
