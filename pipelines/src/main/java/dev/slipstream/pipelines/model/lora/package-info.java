/**
 * LoRA files: small changes to a model's weights, which are merged into its checkpoints when these are opened. {@link
 * dev.slipstream.pipelines.model.lora.Lora} reads a file in any of the usual ways of naming its tensors, {@link
 * dev.slipstream.pipelines.model.lora.Factors} are the ways of writing a change, of which {@code Rows} computes a row
 * at a time; {@link
 * dev.slipstream.pipelines.model.lora.Loras} are those that a model is to be opened with, {@link
 * dev.slipstream.pipelines.model.lora.OpenLoras} those of a model that is open.
 *
 * <p>Checkpoints are never changed. What a merge changes goes into a folder of its own in the {@link
 * dev.slipstream.pipelines.model.lora.MergeStore}, so to take a LoRA away is to open the checkpoint without it.
 *
 * <p>Sources: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685; the file formats of
 * kohya-ss/sd-scripts, LyCORIS, diffusers, PEFT and ComfyUI.
 */
package dev.slipstream.pipelines.model.lora;
