/**
 * {@code slipstream doctor}: looks at all that drawing a picture needs, and says what works or what to do.
 */
package dev.slipstream.samples.doctor;
