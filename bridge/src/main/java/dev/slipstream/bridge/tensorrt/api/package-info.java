/**
 * TensorRT's API: one class for each class of TensorRT's that is used, with methods that check what a call returned,
 * and owners that free what they own. {@link dev.slipstream.bridge.tensorrt.api.TensorRt} is where they come from.
 * Nothing here knows a device of ours.
 */
package dev.slipstream.bridge.tensorrt.api;
