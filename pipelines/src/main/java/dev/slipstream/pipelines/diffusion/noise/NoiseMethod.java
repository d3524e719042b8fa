package dev.slipstream.pipelines.diffusion.noise;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The methods people can ask for by name, and the diffusers classes that are read as them. */
enum NoiseMethod {
    DDIM("ddim", "DDIMScheduler", Map.of(), Ddim::read),
    DDPM("ddpm", "DDPMScheduler", Map.of(), Ddpm::read),
    PNDM("pndm", "PNDMScheduler", Map.of("skip_prk_steps", "true"), Pndm::read),
    EULER("euler", "EulerDiscreteScheduler", Map.of(), Euler::read),
    EULER_KARRAS("euler-karras", "EulerDiscreteScheduler", Map.of("use_karras_sigmas", "true"), Euler::read),
    EULER_ANCESTRAL("euler-ancestral", "EulerAncestralDiscreteScheduler", Map.of(), EulerAncestral::read),
    DPM_2M("dpm++2m", "DPMSolverMultistepScheduler", Solver.ODE, DpmSolver::read),
    DPM_2M_KARRAS("dpm++2m-karras", "DPMSolverMultistepScheduler", Solver.karras(Solver.ODE), DpmSolver::read),
    DPM_2M_SDE("dpm++2m-sde", "DPMSolverMultistepScheduler", Solver.SDE, DpmSolver::read),
    DPM_2M_SDE_KARRAS("dpm++2m-sde-karras", "DPMSolverMultistepScheduler", Solver.karras(Solver.SDE), DpmSolver::read),
    LMS("lms", "LMSDiscreteScheduler", Map.of(), Lms::read),
    LMS_KARRAS("lms-karras", "LMSDiscreteScheduler", Map.of("use_karras_sigmas", "true"), Lms::read),
    LCM("lcm", "LCMScheduler", Map.of(), Lcm::read),
    FLOW_MATCH_EULER("flow-match-euler", "FlowMatchEulerDiscreteScheduler", Map.of(), FlowMatchEuler::read);

    private final String label;
    private final String className;
    private final Map<String, String> options;
    private final Function<SchedulerOptions, Sampler> reader;

    /** @param options what asking for this method by name sets, as JSON */
    NoiseMethod(String label, String className, Map<String, String> options,
                Function<SchedulerOptions, Sampler> reader) {
        this.label = label;
        this.className = className;
        this.options = options;
        this.reader = reader;
    }

    static List<String> labels() {
        return Arrays.stream(values()).map(method -> method.label).toList();
    }

    static String classNames() {
        return Arrays.stream(values()).map(method -> method.className).distinct().collect(Collectors.joining(", "));
    }

    static Optional<NoiseMethod> named(String label) {
        return Arrays.stream(values()).filter(method -> method.label.equals(label)).findFirst();
    }

    static Optional<NoiseMethod> ofClass(String className) {
        return Arrays.stream(values()).filter(method -> method.className.equals(className)).findFirst();
    }

    Map<String, String> options() {
        return options;
    }

    Sampler read(SchedulerOptions from) {
        return reader.apply(from);
    }

    /** Options of the DPM-Solver++ methods, here because an enum's constants come before its own constants. */
    private static final class Solver {
        static final Map<String, String> ODE = Map.of("algorithm_type", "\"dpmsolver++\"", "solver_order", "2");
        static final Map<String, String> SDE = Map.of("algorithm_type", "\"sde-dpmsolver++\"", "solver_order", "2");

        static Map<String, String> karras(Map<String, String> options) {
            return Map.of("algorithm_type", options.get("algorithm_type"), "solver_order", "2",
                "use_karras_sigmas", "true");
        }
    }
}
