/**
 * What ran where and when: one form for runs that were measured and for those that were simulated.
 *
 * <p>A {@link dev.slipstream.pipelines.run.timeline.Recording} gathers the spans of a program's instructions into a
 * {@link dev.slipstream.pipelines.run.timeline.Timeline}, which answers for utilisation, bubbles and copies that
 * nothing hides. Immutable values, which know programs and nothing of devices.
 */
package dev.slipstream.pipelines.run.timeline;
