/** {@code slipstream calibrate}: measures once for a model what plans ask for, and writes it beside the model. */
package dev.slipstream.samples.calibrate;
