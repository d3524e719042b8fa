/**
 * Models as they lie on disk: folders in the diffusers layout with ONNX files, their configuration, safetensors files.
 *
 * <p>{@link dev.slipstream.pipelines.model.ModelFolder} finds the components of a model and reads what generation must
 * know of them. {@link dev.slipstream.pipelines.model.SafetensorsFile} maps tensors, {@link
 * dev.slipstream.pipelines.model.SafetensorsWriter} writes them, {@link
 * dev.slipstream.pipelines.model.ComponentWeights} finds those of a component in one file or several, and a {@link
 * dev.slipstream.pipelines.model.Checkpoint} starts graphs over them, which the packages below write; {@link
 * dev.slipstream.pipelines.model.SupportedOptions} sees to it that no option of theirs is ignored. All files here
 * are taken for damaged or hostile until checked: whatever is wrong with one becomes a {@link
 * dev.slipstream.pipelines.model.ModelException} that names it.
 */
package dev.slipstream.pipelines.model;
