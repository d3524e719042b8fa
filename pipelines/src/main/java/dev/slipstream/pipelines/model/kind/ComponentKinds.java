package dev.slipstream.pipelines.model.kind;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.clip.ClipTextConfig;
import dev.slipstream.pipelines.model.clip.ClipTextModel;
import dev.slipstream.pipelines.model.clip.ClipVisionModel;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.dit.DitTransformer;
import dev.slipstream.pipelines.model.flux.FluxTransformer;
import dev.slipstream.pipelines.model.kind.ComponentKind.ComponentGraph;
import dev.slipstream.pipelines.model.kind.ComponentKind.GraphWriter;
import dev.slipstream.pipelines.model.kind.ComponentKind.OutputNames;
import dev.slipstream.pipelines.model.kind.NamedOutput.Reading;
import dev.slipstream.pipelines.model.mmdit.Sd3ControlNet;
import dev.slipstream.pipelines.model.mmdit.Sd3Transformer;
import dev.slipstream.pipelines.model.pixart.PixArtTransformer;
import dev.slipstream.pipelines.model.t5.T5Encoder;
import dev.slipstream.pipelines.model.unet.ControlNet;
import dev.slipstream.pipelines.model.unet.MotionUNet;
import dev.slipstream.pipelines.model.unet.SpatioTemporalUNet;
import dev.slipstream.pipelines.model.unet.UNet;
import dev.slipstream.pipelines.model.vae.AutoencoderKl;
import dev.slipstream.pipelines.model.vae.AutoencoderKlTemporalDecoder;
import dev.slipstream.pipelines.model.vae.AutoencoderTiny;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The kinds of components that are known. */
public final class ComponentKinds {
    /** What a folder of a denoiser holds if its configuration names no class, as old ones do not. */
    public static final String USUAL_DENOISER = "UNet2DConditionModel";
    /** What a folder of a text encoder holds if its configuration names no class. */
    public static final String USUAL_TEXT_ENCODER = "CLIPTextModel";
    /** What a folder of an autoencoder holds if its configuration names no class. */
    public static final String USUAL_AUTOENCODER = "AutoencoderKL";

    /** What an encoder makes whose latents are drawn. */
    private static final OutputNames DISTRIBUTION = OutputNames.only(NamedOutput.of(AutoencoderKl.LATENT_PARAMETERS),
        new NamedOutput("encoded_mean", AutoencoderKl.LATENT_PARAMETERS, Reading.MEAN),
        new NamedOutput("encoded_logvar", AutoencoderKl.LATENT_PARAMETERS, Reading.LOG_VARIANCE));

    private static final String DIT = "DiTTransformer2DModel";
    private static final String PIXART = "PixArtTransformer2DModel";

    /** A new kind is a line here. */
    private static final List<ComponentKind> ALL = List.of(
        kind(List.of(USUAL_TEXT_ENCODER, "CLIPTextModelWithProjection"),
            new ComponentGraph("text encoder", ClipTextModel::write, ComponentKinds::textStates)),
        kind("text encoder", T5Encoder::write, "T5EncoderModel"),
        kind("image encoder", ClipVisionModel::write, "CLIPVisionModelWithProjection"),
        autoencoder(USUAL_AUTOENCODER, AutoencoderKl::writeEncoder, DISTRIBUTION, AutoencoderKl::writeDecoder),
        autoencoder("AutoencoderKLTemporalDecoder", AutoencoderKlTemporalDecoder::writeEncoder, DISTRIBUTION,
            AutoencoderKlTemporalDecoder::writeDecoder),
        autoencoder("AutoencoderTiny", AutoencoderTiny::writeEncoder,
            OutputNames.only(new NamedOutput("encoded", AutoencoderTiny.LATENTS, Reading.WHOLE)),
            AutoencoderTiny::writeDecoder),
        kind("ControlNet", ControlNet::write, "ControlNetModel"),
        kind("unet", SpatioTemporalUNet::write, "UNetSpatioTemporalConditionModel"),
        kind("unet", MotionUNet::write, "UNetMotionModel"),
        kind("unet with motion", MotionUNet::writeAdapter, "MotionAdapter"),
        kind("unet", UNet::write, USUAL_DENOISER),
        kind("transformer", Sd3Transformer::write, "SD3Transformer2DModel"),
        kind("ControlNet", Sd3ControlNet::write, "SD3ControlNetModel"),
        kind("transformer", FluxTransformer::write, "FluxTransformer2DModel"),
        kind("transformer", PixArtTransformer::write, PIXART),
        kind("transformer", DitTransformer::write, DIT));

    private ComponentKinds() {
    }

    /** A kind of one graph, whose outputs have the graph's own names. @param name what messages call it */
    private static ComponentKind kind(String name, GraphWriter writer, String... classes) {
        return kind(List.of(classes), new ComponentGraph(name, writer, OutputNames.OWN));
    }

    private static ComponentKind autoencoder(String name, GraphWriter encoder, OutputNames encoded,
        GraphWriter decoder) {
        return kind(List.of(name), new ComponentGraph(ComponentKind.ENCODER, encoder, encoded),
            new ComponentGraph(ComponentKind.DECODER, decoder,
                OutputNames.only(new NamedOutput("decoded", AutoencoderKl.SAMPLE, Reading.WHOLE))));
    }

    private static ComponentKind kind(List<String> classes, ComponentGraph... graphs) {
        return new ComponentKind(classes, List.of(graphs));
    }

    /**
     * The kind that a component's configuration describes.
     *
     * @throws ModelException if it names no class, or one that is not known
     */
    public static ComponentKind of(ConfigFile config) {
        return named(config, className(config).orElseThrow(() -> new ModelException(config.path() + " does not say "
            + "what it describes; it needs _class_name or architectures, as diffusers and transformers write them")));
    }

    /**
     * The kind that a component's configuration describes.
     *
     * @param otherwise the class of one that names none
     * @throws ModelException if it names a class that is not known
     */
    public static ComponentKind of(ConfigFile config, String otherwise) {
        return named(config, className(config).orElse(otherwise));
    }

    private static ComponentKind named(ConfigFile config, String name) {
        return ALL.stream().filter(kind -> kind.classes().contains(name)).findFirst()
            .orElseThrow(() -> new ModelException(config.path() + " describes a " + name + ", which cannot be read "
                + "from its checkpoint; supported are "
                + String.join(", ", ALL.stream().flatMap(kind -> kind.classes().stream()).sorted().toList())));
    }

    /**
     * The class that a configuration names, by its name today; empty if it names none. diffusers and transformers do
     * that in different ways; some files name the type alone.
     *
     * @throws ModelException if it is one of a class that is now several, of which none is known
     */
    public static Optional<String> className(ConfigFile config) {
        return config.text("_class_name").map(name -> name.equals("Transformer2DModel") ? byNorm(config) : name)
            .or(() -> config.list("architectures").stream().findFirst()
                .map(first -> config.text("architectures", first)))
            .or(() -> config.text("model_type").filter("clip_text_model"::equals).map(type -> USUAL_TEXT_ENCODER));
    }

    /** What was one class once, and still is in files, is told apart by its norm. */
    private static String byNorm(ConfigFile config) {
        String norm = config.text("norm_type").orElse("layer_norm");
        return switch (norm) {
            case "ada_norm_zero" -> DIT;
            case "ada_norm_single" -> PIXART;
            default -> throw config.wrong("norm_type", "is \"" + norm + "\", which is not supported in a "
                + "Transformer2DModel; supported are ada_norm_zero and ada_norm_single");
        };
    }

    /** The hidden state before the last, which SDXL reads, has a name beside its number. */
    private static List<NamedOutput> textStates(ConfigFile config, List<String> tensors) {
        List<NamedOutput> outputs = new ArrayList<>(OutputNames.OWN.of(config, tensors));
        outputs.add(new NamedOutput("penultimate_hidden_state",
            ClipTextModel.hiddenState(ClipTextConfig.read(config).layers() - 1), Reading.WHOLE));
        return outputs;
    }
}
