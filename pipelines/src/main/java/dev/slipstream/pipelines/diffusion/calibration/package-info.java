/**
 * What is measured of a model once, so that plans need not decide while they run.
 *
 * <p>{@link dev.slipstream.pipelines.diffusion.calibration.CacheSizes} watches a loop and says how what a cache keeps
 * changes its size from step to step; a {@link dev.slipstream.pipelines.diffusion.calibration.Calibration} is that as a
 * file beside the model, and gives it to plans that ask for it. A
 * {@link dev.slipstream.pipelines.diffusion.calibration.QualityTable} says how near plans' pictures come to the exact
 * ones, for those who choose plans.
 */
@NullMarked
package dev.slipstream.pipelines.diffusion.calibration;

import org.jspecify.annotations.NullMarked;
