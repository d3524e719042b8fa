/**
 * Options that several commands have, as mixins for picocli: each class reads some of them and makes of them what the
 * library takes. {@code ResultFiles} looks at where results go before any work is done.
 */
package dev.slipstream.samples.options;
