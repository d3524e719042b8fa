package dev.slipstream.pipelines.diffusion.calibration;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * How near the pictures of plans come to the exact ones, as it was measured of a model: a file beside it.
 *
 * @param model its name, for people
 * @param denoiser what its denoiser's configuration is known by: a hash
 * @param rows one for each plan and setting
 */
public record QualityTable(String model, String denoiser, List<Row> rows) {
    public QualityTable {
        rows = List.copyOf(rows);
    }

    /**
     * What likeness depends on beside the plan.
     *
     * @param guidance weight of the prompt
     * @param scheduler the noise scheduler's method
     * @param latents the shape of one picture's latents
     */
    public record Setting(int steps, double guidance, String scheduler, String latents, String precision) {
        public static Setting of(DenoiserGraph denoiser, LoopShape shape, NoiseTable noise, Guidance guidance) {
            return new Setting(noise.steps(), guidance.weight(), noise.name(),
                LoopShape.withRows(shape.latents(), 1).shape().toString(), denoiser.precision().toString());
        }

        @Override
        public String toString() {
            return steps + " steps of " + scheduler + ", guidance " + guidance + ", latents " + latents + ", "
                + precision;
        }
    }

    /**
     * What was measured of a plan.
     *
     * @param plan its strategy, with its settings
     * @param pictures that were compared
     * @param decibels mean of their peak signal-to-noise ratios, 100 for the same; {@code worst} the least
     * @param similarity mean of the similarities of their structures (SSIM), 1 for the same
     * @param measured the day; {@code release} of Slipstream
     */
    public record Row(String plan, Setting setting, int pictures, double decibels, double worst, double similarity,
        String measured, String release) {
        /** What was measured today, with this release. */
        public static Row ofToday(String plan, Setting setting, int pictures, double decibels, double worst,
            double similarity) {
            String number = QualityTable.class.getPackage().getImplementationVersion();
            return new Row(plan, setting, pictures, decibels, worst, similarity, LocalDate.now().toString(),
                number == null ? "development" : number);
        }

        private boolean isOfTheSame(Row other) {
            return plan.equals(other.plan) && setting.equals(other.setting);
        }
    }

    /** Where it lies: in the folder of a model, or next to its file. */
    public static Path beside(Path model) {
        return MeasuredFile.QUALITY.beside(model);
    }

    /**
     * What was measured of a model so far; no rows where there is no file.
     *
     * @param path the model's folder or file
     * @throws ModelException if the file is damaged or that of another denoiser
     */
    public static QualityTable of(Path path, DenoiserGraph denoiser) {
        Path file = beside(path);
        if (!Files.exists(file)) {
            return new QualityTable(String.valueOf(path.getFileName()), MeasuredFile.hash(denoiser), List.of());
        }
        QualityTable table = read(file);
        MeasuredFile.QUALITY.requireFits(file, table.model, table.denoiser, denoiser);
        return table;
    }

    /** Decibels by a plan's strategy, for those that were measured in this very setting. */
    public Function<String, OptionalDouble> decibels(Setting setting) {
        Map<String, Double> known = new LinkedHashMap<>();
        rows.stream().filter(row -> row.setting.equals(setting)).forEach(row -> known.put(row.plan, row.decibels));
        return plan -> {
            Double decibels = known.get(plan);
            return decibels == null ? OptionalDouble.empty() : OptionalDouble.of(decibels);
        };
    }

    /** With what was measured now; that takes the place of what was measured of the same plan in the same setting. */
    public QualityTable with(List<Row> newer) {
        return new QualityTable(model, denoiser, Stream.concat(
            rows.stream().filter(old -> newer.stream().noneMatch(old::isOfTheSame)), newer.stream()).toList());
    }

    private static QualityTable read(Path file) {
        ConfigFile config = MeasuredFile.QUALITY.read(file);
        return new QualityTable(text(config, "model"), text(config, "denoiser"),
            config.objects("rows").stream().map(QualityTable::row).toList());
    }

    private static Row row(ConfigFile row) {
        Setting setting = new Setting(row.positiveInteger("steps"), number(row, "guidance"), text(row, "scheduler"),
            text(row, "latents"), text(row, "precision"));
        return new Row(text(row, "plan"), setting, row.positiveInteger("pictures"), number(row, "psnr_db"),
            number(row, "psnr_min_db"), number(row, "ssim"), text(row, "measured"), text(row, "release"));
    }

    private static String text(ConfigFile config, String key) {
        return config.text(key).orElseThrow(() -> missing(config, key));
    }

    private static double number(ConfigFile config, String key) {
        return config.number(key, config.element(key).orElseThrow(() -> missing(config, key)));
    }

    private static ModelException missing(ConfigFile config, String key) {
        return config.wrong(key, "is missing; " + MeasuredFile.QUALITY.again());
    }

    /** Writes it whole or not at all. @throws IOException in one sentence */
    public void write(Path file) throws IOException {
        JsonArray list = new JsonArray();
        rows.forEach(row -> {
            JsonObject json = new JsonObject();
            json.addProperty("plan", row.plan);
            json.addProperty("steps", row.setting.steps);
            json.addProperty("guidance", row.setting.guidance);
            json.addProperty("scheduler", row.setting.scheduler);
            json.addProperty("latents", row.setting.latents);
            json.addProperty("precision", row.setting.precision);
            json.addProperty("pictures", row.pictures);
            json.addProperty("psnr_db", row.decibels);
            json.addProperty("psnr_min_db", row.worst);
            json.addProperty("ssim", row.similarity);
            json.addProperty("measured", row.measured);
            json.addProperty("release", row.release);
            list.add(json);
        });
        JsonObject json = MeasuredFile.QUALITY.head(model, denoiser);
        json.add("rows", list);
        MeasuredFile.write(file, json);
    }
}
