/**
 * What lies in a folder that users bring, and which of it is read: {@link
 * dev.slipstream.pipelines.model.inventory.Inventory}. The folder's readers say by {@link
 * dev.slipstream.pipelines.model.inventory.FileRule}s what they read; {@link
 * dev.slipstream.pipelines.model.inventory.SilentFiles} knows what says nothing to anybody here. No contents are read.
 */
package dev.slipstream.pipelines.model.inventory;
