/**
 * {@code slipstream model}: makes model folders.
 */
package dev.slipstream.samples.model;
