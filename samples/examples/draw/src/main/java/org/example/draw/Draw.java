package org.example.draw;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.Generation;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import java.nio.file.Path;

class Draw {
    public static void main(String[] args) {
        try (var pipeline = DiffusionPipeline.of(Path.of("samples/model"))
                .devices("cpu:1", "cpu:1").plan("asyncdiff:warmup=3").open()) {
            var request = ImageRequest.of("a large red star on a blue background").withSteps(50).withSeed(7);
            Generation generation = pipeline.submit(request);
            generation.onProgress(progress -> System.out.print("\r" + progress.step() + "/" + progress.steps()));
            // generation.cancel() stops it at the next step
            generation.result().join().image().enlarged(8).write(Path.of("star.png"));
        }
    }
}
