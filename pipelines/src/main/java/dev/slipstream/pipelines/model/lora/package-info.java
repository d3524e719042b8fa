/**
 * LoRA files: small changes of a model's weights, which are merged into its checkpoints when these are opened.
 *
 * <p>Reading: {@link dev.slipstream.pipelines.model.lora.Lora} reads a file in any of the usual namings of its
 * tensors, {@link dev.slipstream.pipelines.model.lora.LoraTarget} is the weight that a change is for, and {@link
 * dev.slipstream.pipelines.model.lora.LoraLayer} and {@link dev.slipstream.pipelines.model.lora.Factors} are the
 * change, which {@code Rows} computes row by row.
 *
 * <p>Merging: {@link dev.slipstream.pipelines.model.lora.Loras} are those that a model is to be opened with, {@link
 * dev.slipstream.pipelines.model.lora.OpenLoras} those of an open model. Checkpoints are never changed: changed
 * weights go into a folder of their own in the {@link dev.slipstream.pipelines.model.weights.WeightStore}: removing a
 * LoRA means opening the checkpoint without it.
 *
 * <p>Sources: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685; the file formats of
 * kohya-ss/sd-scripts, LyCORIS, diffusers, PEFT and ComfyUI.
 */
package dev.slipstream.pipelines.model.lora;
