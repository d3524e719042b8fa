package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.method.Ddim;
import dev.slipstream.pipelines.diffusion.noise.method.Ddpm;
import dev.slipstream.pipelines.diffusion.noise.method.Deis;
import dev.slipstream.pipelines.diffusion.noise.method.Dpm2;
import dev.slipstream.pipelines.diffusion.noise.method.DpmSde;
import dev.slipstream.pipelines.diffusion.noise.method.DpmSinglestep;
import dev.slipstream.pipelines.diffusion.noise.method.DpmSolver;
import dev.slipstream.pipelines.diffusion.noise.method.EdmDpmSolver;
import dev.slipstream.pipelines.diffusion.noise.method.EdmEuler;
import dev.slipstream.pipelines.diffusion.noise.method.Euler;
import dev.slipstream.pipelines.diffusion.noise.method.EulerAncestral;
import dev.slipstream.pipelines.diffusion.noise.method.FlowMatchEuler;
import dev.slipstream.pipelines.diffusion.noise.method.Heun;
import dev.slipstream.pipelines.diffusion.noise.method.Lcm;
import dev.slipstream.pipelines.diffusion.noise.method.Lms;
import dev.slipstream.pipelines.diffusion.noise.method.Pndm;
import dev.slipstream.pipelines.diffusion.noise.method.Sampler;
import dev.slipstream.pipelines.diffusion.noise.method.Tcd;
import dev.slipstream.pipelines.diffusion.noise.method.UniPc;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing.Kind;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The methods people can ask for by name, and the diffusers classes that are read as them. Behind a name may stand how
 * its noise levels are spaced, if it knows that spacing: {@code euler-karras}.
 */
enum NoiseMethod {
    DDIM("ddim", "DDIMScheduler", Set.of(), Map.of(), Ddim::read),
    DDPM("ddpm", "DDPMScheduler", Set.of(), Map.of(), Ddpm::read),
    PNDM("pndm", "PNDMScheduler", Set.of(), Map.of("skip_prk_steps", "true"), Pndm::read),
    PNDM_RESTART("pndm-restart", "PNDMScheduler", Set.of(), Map.of("skip_prk_steps", "true"), Pndm::readRestarting),
    EULER("euler", "EulerDiscreteScheduler", Kind.COMMON, Map.of(), Euler::read),
    EULER_ANCESTRAL("euler-ancestral", "EulerAncestralDiscreteScheduler", Set.of(), Map.of(), EulerAncestral::read),
    HEUN("heun", "HeunDiscreteScheduler", Kind.COMMON, Map.of(), Heun::read),
    DPM2("dpm2", "KDPM2DiscreteScheduler", Kind.COMMON, Map.of(), Dpm2::read),
    DPM2_ANCESTRAL("dpm2-ancestral", "KDPM2AncestralDiscreteScheduler", Kind.COMMON, Map.of(), Dpm2::readAncestral),
    LMS("lms", "LMSDiscreteScheduler", Kind.COMMON, Map.of(), Lms::read),
    LMS_RESTART("lms-restart", "LMSDiscreteScheduler", Kind.COMMON, Map.of(), Lms::readRestarting),
    DPM_SDE("dpm++sde", "DPMSolverSDEScheduler", Kind.COMMON, Map.of(), DpmSde::read),
    DPM_2M("dpm++2m", "DPMSolverMultistepScheduler", Kind.ALL, solver("dpmsolver++", 2), DpmSolver::read),
    DPM_2M_SDE("dpm++2m-sde", "DPMSolverMultistepScheduler", Kind.ALL, solver("sde-dpmsolver++", 2), DpmSolver::read),
    DPM_3M("dpm++3m", "DPMSolverMultistepScheduler", Kind.ALL, solver("dpmsolver++", 3), DpmSolver::read),
    DPM_3M_SDE("dpm++3m-sde", "DPMSolverMultistepScheduler", Kind.ALL, solver("sde-dpmsolver++", 3), DpmSolver::read),
    DPM_2S("dpm++2s", "DPMSolverSinglestepScheduler", Kind.SOLVER, solver("dpmsolver++", 2), DpmSinglestep::read),
    DPM_3S("dpm++3s", "DPMSolverSinglestepScheduler", Kind.SOLVER, solver("dpmsolver++", 3), DpmSinglestep::read),
    DEIS("deis", "DEISMultistepScheduler", Kind.SOLVER, Map.of(), Deis::read),
    UNIPC("unipc", "UniPCMultistepScheduler", Kind.SOLVER, Map.of(), UniPc::read),
    LCM("lcm", "LCMScheduler", Set.of(), Map.of(), Lcm::read),
    TCD("tcd", "TCDScheduler", Set.of(), Map.of(), Tcd::read),
    EDM_EULER("edm-euler", "EDMEulerScheduler", Set.of(), Map.of(), EdmEuler::read),
    EDM_DPM_2M("edm-dpm++2m", "EDMDPMSolverMultistepScheduler", Set.of(), solver("dpmsolver++", 2),
        EdmDpmSolver::read),
    FLOW_MATCH_EULER("flow-match-euler", "FlowMatchEulerDiscreteScheduler", Kind.COMMON, Map.of(),
        FlowMatchEuler::read);

    private final String label;
    private final String className;
    private final Set<Kind> spacings;
    private final Map<String, String> options;
    private final Function<SchedulerOptions, Sampler> reader;

    /**
     * @param spacings the ways to space noise levels that it knows
     * @param options what asking for this method by name sets, as JSON
     */
    NoiseMethod(String label, String className, Set<Kind> spacings, Map<String, String> options,
                Function<SchedulerOptions, Sampler> reader) {
        this.label = label;
        this.className = className;
        this.spacings = spacings;
        this.options = options;
        this.reader = reader;
    }

    private static Map<String, String> solver(String algorithm, int order) {
        return Map.of("algorithm_type", "\"" + algorithm + "\"", "solver_order", Integer.toString(order));
    }

    /** The class of diffusers. */
    String className() {
        return className;
    }

    static List<String> labels() {
        return Arrays.stream(values()).map(method -> method.label).toList();
    }

    /** All that {@link #named} finds. */
    static List<String> names() {
        return Arrays.stream(values()).flatMap(NoiseMethod::ownNames).toList();
    }

    private Stream<String> ownNames() {
        return Stream.concat(Stream.of(label),
            Kind.named().stream().filter(spacings::contains).map(kind -> label + kind.suffix()));
    }

    /** @throws NoiseSchedulerException if no method is called so, with or without the end of a spacing */
    static NoiseMethod named(String name) {
        return Arrays.stream(values()).filter(method -> method.ownNames().anyMatch(name::equals)).findFirst()
            .orElseThrow(() -> new NoiseSchedulerException("no noise scheduler is called '" + name + "'; choose one of "
                + String.join(", ", labels()) + ", most of them also with -karras, -exponential, -beta or -lu behind"));
    }

    /** @throws NoiseSchedulerException if the class that the options name is none of these */
    static NoiseMethod ofClass(SchedulerOptions options) {
        return Arrays.stream(values()).filter(method -> method.className.equals(options.className())).findFirst()
            .orElseThrow(() -> options.error("noise scheduler class '" + options.className()
                + "' is not supported, only " + Arrays.stream(values()).map(method -> method.className).distinct()
                .collect(Collectors.joining(", ")) + "; or choose a method: " + String.join(", ", labels())));
    }

    /** What asking for this method by {@code name} sets; without a spacing in it, that of the file stays. */
    Map<String, String> options(String name) {
        Map<String, String> all = new HashMap<>(options);
        Kind.named().stream().filter(kind -> name.equals(label + kind.suffix())).forEach(chosen ->
            Kind.named().forEach(kind -> all.put(kind.option(), Boolean.toString(kind == chosen))));
        return all;
    }

    Sampler read(SchedulerOptions from) {
        return reader.apply(from);
    }

    /** Whether it samples models that were trained so. */
    boolean samples(Training training) {
        return switch (training) {
            case EDM -> this == EDM_EULER || this == EDM_DPM_2M;
            case FLOW_MATCHING -> this == FLOW_MATCH_EULER || spacings.contains(Kind.FLOW);
            case DIFFUSION -> this != EDM_EULER && this != EDM_DPM_2M && this != FLOW_MATCH_EULER;
        };
    }
}
