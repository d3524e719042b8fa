/**
 * Models in the layout of diffusers: {@link dev.slipstream.pipelines.model.folder.ModelFolder} finds the components
 * and reads what generation must know of them; an {@link dev.slipstream.pipelines.model.folder.Inventory} says of
 * every file of a folder whether it is read.
 */
package dev.slipstream.pipelines.model.folder;
