/**
 * {@code slipstream schema}: the JSON Schemas of what other commands print as JSON, which lie beside it as resources.
 */
package dev.slipstream.samples.schema;
