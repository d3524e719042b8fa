package dev.slipstream.samples.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AmountsTest {
    @ParameterizedTest
    @CsvSource({"0, 0 B", "999, 999 B", "1000, 1.0 kB", "999949, 999.9 kB", "999950, 1.0 MB", "25300000000, 25.3 GB",
        "9223372036854775807, 9.2 EB"})
    void bytesHaveThreeDigitsAndAUnit(long bytes, String words) {
        assertEquals(words, Amounts.bytes(bytes));
    }

    @ParameterizedTest
    @CsvSource({"0, 0 engines", "1, 1 engine", "2, 2 engines"})
    void oneThingHasNoPlural(int count, String words) {
        assertEquals(words, Amounts.count(count, "engine"));
    }

    @ParameterizedTest
    @CsvSource({"0, 0.0 ms", "8040000, 8.0 ms", "99940000, 99.9 ms", "99949000, 99.9 ms", "99950000, 100 ms",
        "9999000000, 9999 ms", "9999499000, 9999 ms", "9999500000, 10.0 s", "75000000000, 75.0 s"})
    void timesAreMillisecondsUntilSecondsSayEnough(long nanos, String words) {
        assertEquals(words, Amounts.time(Duration.ofNanos(nanos)));
    }
}
