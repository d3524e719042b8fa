package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import java.util.List;

/** A plan of each kind, for a denoiser that it divides: what holds for one is to hold for all. */
enum PlanKind {
    SEQUENTIAL(TinyNetwork.UNET, "sequential", 2),
    CFG_SPLIT(TinyNetwork.UNET, "cfg-split", 2),
    ASYNCDIFF(TinyNetwork.UNET, "asyncdiff:warmup=1,cut=shell", 2),
    ASYNCDIFF_STRIDE(TinyNetwork.UNET, "asyncdiff:n=2,warmup=1,stride=2,form=paper,cut=chain", 3),
    ASYNCDIFF_BRANCHES(TinyNetwork.TRANSFORMER, "cfg-split+asyncdiff:n=2,warmup=1", 4),
    ASYNCDIFF_WINDOW(TinyNetwork.UNET, "asyncdiff:n=2,warmup=2,length=3,stride=2,form=paper,cut=chain", 3),
    HYBRIDIFF(TinyNetwork.UNET, "hybridiff:start=2,length=3", 2),
    HYBRIDIFF_UNGUIDED(TinyNetwork.TRANSFORMER, "hybridiff:start=1,length=2,guidance=none", 2),
    HYBRIDIFF_DECIDED(TinyNetwork.UNET, "hybridiff:decide=distance,lookback=1,threshold=9,latest=4,length=2", 2),
    HYBRIDIFF_DECIDED_NOW(TinyNetwork.TRANSFORMER,
        "hybridiff:decide=distance,lookback=2,threshold=0,slip=0,latest=4,length=3,guidance=none", 2),
    CACHE_REPLACE(TinyNetwork.UNET, "cache:every=2,depth=1,warmup=2", 1),
    CACHE_RESIDUAL(TinyNetwork.TRANSFORMER, "cache:magnitudes=1+0.98+0.9,kept=0.3,warmup=1", 1),
    CACHE_FORECAST(TinyNetwork.TRANSFORMER, "cache:part=attention,form=forecast,order=2,every=2,warmup=3", 1),
    CACHE_EXTRAPOLATED(TinyNetwork.TRANSFORMER,
        "guidance:every=3,warmup=1,keep=frequencies+cache:part=self-attention,every=2,form=extrapolate,warmup=1", 1),
    CACHE_MEAN(TinyNetwork.UNET, "cache:part=cross-attention,form=mean,steps=0+1+2+guidance:stop=0.5", 1),
    CACHE_ALL(TinyNetwork.UNET, "cache:part=all,form=forecast,every=2,warmup=3", 1),
    CACHE_DECIDED(TinyNetwork.TRANSFORMER, "cache:decide=first-block,threshold=0.3,warmup=1", 1),
    CACHE_DECIDED_LATER(TinyNetwork.TRANSFORMER, "cfg-split+cache:decide=first-block,threshold=0.3,slip=1,warmup=1", 2),
    CACHE_BRANCHES(TinyNetwork.UNET, "cfg-split+cache:every=2,depth=0,warmup=1,tail=1", 2),
    CACHE_ASYNCDIFF(TinyNetwork.UNET, "asyncdiff:warmup=1,cut=chain+cache:every=2,depth=1,warmup=1", 2),
    GUIDANCE_INTERVAL(TinyNetwork.UNET, "guidance:start=0.2,stop=0.7", 1),
    GUIDANCE_KEPT(TinyNetwork.TRANSFORMER, "guidance:every=3,warmup=1,keep=unconditional", 1),
    GUIDANCE_CACHE(TinyNetwork.UNET, "cache:every=2,depth=1,warmup=1+guidance:every=2", 1),
    GUIDANCE_ASYNCDIFF(TinyNetwork.UNET, "asyncdiff:warmup=1,cut=shell+guidance:every=2,warmup=1", 2),
    PATCHES(TinyNetwork.UNET, "patches:n=2,warmup=2", 2),
    PATCHES_SYNC(TinyNetwork.UNET, "patches:n=4,warmup=1,tail=1,norm=sync", 2),
    PATCHES_NEIGHBOURS(TinyNetwork.UNET, "patches:n=4,warmup=1,norm=stale,neighbours", 4),
    PATCHES_PIECES(TinyNetwork.UNET, "patches:n=2,warmup=1,segments=3,portion=0.4", 2),
    PATCHES_FROZEN(TinyNetwork.UNET, "patches:n=2,warmup=2,frozen", 1),
    PATCHES_BRANCHES(TinyNetwork.UNET, "cfg-split+patches:n=2,warmup=1", 4),
    PATCHES_GUIDANCE(TinyNetwork.UNET, "patches:n=2,warmup=1+guidance:every=2,stop=0.8", 2),
    PATCHES_CACHE(TinyNetwork.UNET, "patches:n=2,warmup=1+cache:part=all,every=2,warmup=1", 2),
    PIPEFUSION(TinyNetwork.TRANSFORMER, "pipefusion:parts=2,patches=3", 2),
    PIPEFUSION_BRANCHES(TinyNetwork.TRANSFORMER, "cfg-split+pipefusion:parts=2,patches=2,warmup=2", 4),
    PIPEFUSION_GUIDANCE(TinyNetwork.TRANSFORMER, "pipefusion:parts=2,patches=2+guidance:every=2,stop=0.8", 2),
    PIPEFUSION_CACHE(TinyNetwork.TRANSFORMER,
        "pipefusion:parts=2,patches=2+cache:part=all,every=2,warmup=1,tail=2+guidance:every=4", 2);

    static final int STEPS = 8;

    private final TinyNetwork network;
    private final String plan;
    private final int devices;

    PlanKind(TinyNetwork network, String plan, int devices) {
        this.network = network;
        this.plan = plan;
        this.devices = devices;
    }

    String plan() {
        return plan;
    }

    int devices() {
        return devices;
    }

    PartitionedDenoiser partitioned() {
        return network.partitioned(Strategy.parse(plan), devices);
    }

    /** A loop whose latents are kept after every step. */
    Execution prepare(Denoiser denoiser) {
        return denoiser.prepare(network.noise(STEPS), network.guidance(), LoopOptions.DEFAULT.withKeptLatents(true));
    }

    /** A loop that only its last latents are read of. */
    Execution prepare(Denoiser denoiser, int steps) {
        return prepare(denoiser, steps, KeptLatents.LAST);
    }

    Execution prepare(Denoiser denoiser, int steps, KeptLatents kept) {
        LoopOptions usual = LoopOptions.DEFAULT;
        return denoiser.prepare(network.noise(steps), network.guidance(), new LoopOptions(kept, usual.estimates(),
            usual.traced(), usual.guarded(), usual.replayed(), usual.patience(), usual.observer(),
            usual.overlapped()));
    }

    /** A whole life: engines, execution, the latents after every step. @param partitioned by this kind of plan */
    float[] run(PartitionedDenoiser partitioned, List<Device> on) {
        try (Denoiser denoiser = Denoiser.build(partitioned, on); Execution execution = prepare(denoiser)) {
            return TinyNetwork.run(execution, LoopObserver.NONE);
        }
    }
}
