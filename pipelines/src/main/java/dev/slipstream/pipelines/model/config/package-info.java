/**
 * What the configuration of a model says. A {@link dev.slipstream.pipelines.model.config.ConfigFile} is read strictly:
 * every file is treated as damaged or hostile until it is checked, and whatever is wrong with it becomes a {@link
 * dev.slipstream.pipelines.model.ModelException} that names the file and the setting. {@link
 * dev.slipstream.pipelines.model.config.SupportedOptions} makes sure that no option is ignored silently.
 */
package dev.slipstream.pipelines.model.config;
