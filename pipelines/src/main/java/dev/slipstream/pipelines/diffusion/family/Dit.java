package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.component.TextLayout;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Wording;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * DiT (Peebles and Xie 2023): no text, but the number of a class. A request says it as such, or has a prompt that is
 * the number or a name of it; an empty prompt is no class, as which one more number stands.
 */
final class Dit extends LatentDiffusion {
    static final Set<String> PIPELINES = Set.of("DiTPipeline");

    static final LoopForm FORM = LoopForm.pictures(1, 1, List.of(), true, true, false);
    static final String CLASS = "class_labels";
    /** Of models without configuration: those of ImageNet. */
    private static final int USUAL_CLASSES = 1000;

    private final int count;
    private final ClassNames names;

    Dit(ModelParts parts) {
        super(TextEncoders.open(parts.folder(), TextLayout.NONE), false);
        this.count = parts.denoiserFile().map(config -> config.positiveInteger("num_embeds_ada_norm", USUAL_CLASSES))
            .orElse(USUAL_CLASSES);
        this.names = new ClassNames(count, parts.folder().settings().flatMap(settings -> settings.object("id2label"))
            .map(List::of).orElseGet(List::<ConfigFile>of));
    }

    @Override
    boolean drawsClasses() {
        return true;
    }

    /** Of tokens it only knows how many there are, and takes the root of that as the side. */
    @Override
    public LatentGrid.Size latents(RecipeRequest request, LatentGrid grid) {
        LatentGrid.Size size = super.latents(request, grid);
        refuse(size.height() != size.width(), "this model draws squares; take a size with equal sides");
        return size;
    }

    @Override
    public Map<String, ConditionValues> told(RecipeRequest request, MicroConditioning sizes, LatentGrid.Size latents) {
        return Map.of(CLASS, new ConditionValues(Shape.of(), new double[] {count},
            new double[] {number(request.wording())}));
    }

    private int number(Wording wording) {
        String wanted = wording.label().orElse(wording.prompt());
        return wording.label().isEmpty() && wanted.isBlank() ? count : names.number(wanted);
    }

    @Override
    public void check(RecipeRequest request) {
        super.check(request);
        Wording wording = request.wording();
        refuse(wording.label().isPresent() && !wording.prompt().isBlank(),
            "there are a prompt and a class; this model draws classes, leave out the prompt");
        refuse(!wording.negative().isBlank(), "this model draws classes; leave out the negative prompt");
        refuse(wording.reading().weighted() || wording.reading().whole() || wording.clipSkip() > 0,
            "this model reads no text; leave out weights in prompts, long prompts and clip_skip");
        number(wording);
    }
}
