package dev.slipstream.pipelines.diffusion;

/**
 * How a picture is made of noise, step by step: the noise schedulers, as diffusers calls them, with diffusers' numbers.
 * By its name a method can also be asked for another spacing of its noise levels: {@code euler-karras}, see
 * {@link ImageRequest#withScheduler(String)}.
 */
public enum SamplingMethod {
    /** Song et al. 2021, "Denoising Diffusion Implicit Models". */
    DDIM("ddim"),
    /** Ho et al. 2020, with noise at every step. */
    DDPM("ddpm"),
    /** Liu et al. 2022, "Pseudo Numerical Methods"; one step more than asked for. */
    PNDM("pndm"),
    /** PNDM that begins a picture from a picture as it begins any. */
    PNDM_RESTART("pndm-restart"),
    /** Karras et al. 2022, first order. */
    EULER("euler"),
    /** Euler with fresh noise at every step. */
    EULER_ANCESTRAL("euler-ancestral"),
    /** Karras et al. 2022, second order: runs the denoiser twice a step. */
    HEUN("heun"),
    /** DPM-Solver-2 in the form of k-diffusion: runs the denoiser twice a step. */
    DPM2("dpm2"),
    /** DPM2 with fresh noise at every step. */
    DPM2_ANCESTRAL("dpm2-ancestral"),
    /** Linear multistep, of k-diffusion. */
    LMS("lms"),
    /** LMS that begins a picture from a picture as it begins any. */
    LMS_RESTART("lms-restart"),
    /** DPM-Solver++ as a stochastic equation: runs the denoiser twice a step. */
    DPM_SDE("dpm++sde"),
    /** DPM-Solver++ (Lu et al. 2022), two steps in memory. */
    DPM_2M("dpm++2m"),
    /** The same as a stochastic equation. */
    DPM_2M_SDE("dpm++2m-sde"),
    /** DPM-Solver++ with three steps in memory. */
    DPM_3M("dpm++3m"),
    /** The same as a stochastic equation. */
    DPM_3M_SDE("dpm++3m-sde"),
    /** DPM-Solver++, second order in single steps. */
    DPM_2S("dpm++2s"),
    /** DPM-Solver++, third order in single steps. */
    DPM_3S("dpm++3s"),
    /** Zhang and Chen 2023, "Fast Sampling with Exponential Integrator". */
    DEIS("deis"),
    /** Zhao et al. 2023, a predictor and a corrector: good for 5 to 10 steps. */
    UNIPC("unipc"),
    /** For latent consistency models (Luo et al. 2023): 1 to 8 steps. */
    LCM("lcm"),
    /** For models distilled by trajectory consistency (Zheng et al. 2024). */
    TCD("tcd"),
    /** Euler for models that were trained by EDM (Karras et al. 2022). */
    EDM_EULER("edm-euler"),
    /** DPM-Solver++ for models that were trained by EDM. */
    EDM_DPM_2M("edm-dpm++2m"),
    /** Euler for models that were trained by flow matching. */
    FLOW_MATCH_EULER("flow-match-euler");

    private final String label;

    SamplingMethod(String label) {
        this.label = label;
    }

    /** As the command line and {@link ImageRequest#withScheduler(String)} take it: {@code dpm++2m}. */
    public String label() {
        return label;
    }
}
