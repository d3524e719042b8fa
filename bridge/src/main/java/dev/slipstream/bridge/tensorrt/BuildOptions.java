package dev.slipstream.bridge.tensorrt;

import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * How engines are built. Precision is not an option: networks are strongly typed, so each tensor has the type that the
 * graph gives it.
 *
 * @param optimizationLevel 0 to 5: how long TensorRT searches for fast kernels
 * @param workspaceBytes the most memory that kernels may use beside their tensors; if empty, all of the device
 * @param tf32 whether products of float32 may be computed with the 10-bit fractions of TF32
 * @param refittable whether weights can be replaced in the finished engine
 * @param open the range of dimensions that stay open
 */
public record BuildOptions(int optimizationLevel, OptionalLong workspaceBytes, boolean tf32, boolean refittable,
    OpenDimensions open) {
    /** TensorRT's own level and limit, exact float32, weights built in, open dimensions from 1 to 64. */
    public static final BuildOptions DEFAULT =
        new BuildOptions(3, OptionalLong.empty(), false, false, new OpenDimensions(1, 2, 64));

    /**
     * The range of dimensions that neither the graph nor its {@code EngineSource} fixes: from {@code least} to
     * {@code most}; kernels are chosen for {@code usual}.
     */
    public record OpenDimensions(long least, long usual, long most) {
        public OpenDimensions {
            if (least < 1 || usual < least || most < usual) {
                throw new IllegalArgumentException("open dimensions need 1 <= least <= usual <= most, not " + least
                    + ", " + usual + ", " + most);
            }
        }
    }

    public BuildOptions {
        if (optimizationLevel < 0 || optimizationLevel > 5) {
            throw new IllegalArgumentException("optimization levels are 0 to 5, not " + optimizationLevel);
        }
        if (workspaceBytes.isPresent() && workspaceBytes.getAsLong() < 0) {
            throw new IllegalArgumentException("a workspace cannot have " + workspaceBytes.getAsLong() + " bytes");
        }
    }

    /** The options as text, which is part of the key of a stored engine. */
    Map<String, String> identity() {
        Map<String, String> identity = new TreeMap<>();
        identity.put("optimization level", Integer.toString(optimizationLevel));
        identity.put("workspace",
            workspaceBytes.isPresent() ? Long.toString(workspaceBytes.getAsLong()) : "all");
        identity.put("tf32", Boolean.toString(tf32));
        identity.put("refittable", Boolean.toString(refittable));
        identity.put("open dimensions", open.least + " to " + open.most + ", usually " + open.usual);
        return identity;
    }
}
