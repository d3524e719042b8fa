/**
 * {@code slipstream plan}: what would run where. {@code PlanSummary} is a plan in numbers, {@code PlanReport}
 * prints it.
 */
package dev.slipstream.samples.plan;
