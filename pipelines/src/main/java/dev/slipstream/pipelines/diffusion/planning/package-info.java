/**
 * Chooses plans: {@link dev.slipstream.pipelines.diffusion.planning.Candidates} lists those that are worth a look,
 * {@link dev.slipstream.pipelines.diffusion.planning.PlanForecast} says what one would take on devices that need not be
 * there, and {@link dev.slipstream.pipelines.diffusion.planning.Choice} picks one by what the user wishes.
 */
package dev.slipstream.pipelines.diffusion.planning;
