/**
 * Which segment runs on which device, and how old its inputs may be.
 *
 * <p>A {@link dev.slipstream.pipelines.plan.Strategy} looks at the outlines of the segments and makes a
 * {@link dev.slipstream.pipelines.plan.Plan}: placed segments ({@link dev.slipstream.pipelines.plan.Stage}), edges
 * between them with their slip, and a {@link dev.slipstream.pipelines.plan.Cadence}. Plans know nothing of buffers,
 * engines or schedulers; {@code dev.slipstream.pipelines.run} unrolls them. Everything here is an immutable value,
 * which any thread may use; no argument and no result is null. Settings that make no sense are a {@link
 * dev.slipstream.pipelines.plan.PlanException}. Constructors of records are no API: they change when a plan says more.
 */
@NullMarked
package dev.slipstream.pipelines.plan;

import org.jspecify.annotations.NullMarked;
