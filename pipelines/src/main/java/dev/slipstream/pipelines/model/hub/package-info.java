/**
 * Models on a Hugging Face hub: {@link dev.slipstream.pipelines.model.hub.HubPull} fetches one into the cache that the
 * hub's own programs share, and {@link dev.slipstream.pipelines.model.hub.HubFolder} finds it there.
 */
package dev.slipstream.pipelines.model.hub;
