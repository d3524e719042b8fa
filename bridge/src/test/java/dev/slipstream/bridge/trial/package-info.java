/**
 * What only a GPU can show, as programs of their own: {@code samples/gpu/check} runs them. Start reading at
 * {@link dev.slipstream.bridge.trial.GpuTrials}.
 */
package dev.slipstream.bridge.trial;
