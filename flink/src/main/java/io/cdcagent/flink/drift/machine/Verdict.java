package io.cdcagent.flink.drift.machine;

import io.cdcagent.flink.drift.json.JsonLine;
import io.cdcagent.flink.drift.json.JsonText;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A verdict, as `dq_reconciliation_audit` has it. */
public final class Verdict {
    /** Key of the row, compact JSON; null when it is about the job as a whole. */
    final String key;

    final Long versionUs;
    final Status status;

    /** What each side told of this version, the last event of it. */
    private final Both<Told> told;

    /** When it may have been logged first, microseconds. */
    private final Long firstSeenUs;

    /** The watermark that decided; null where none did. */
    final Long decidedUs;

    /** Columns that differ. */
    private final Collection<String> columns;

    /** Why, where the status does not say it all; or null. */
    private final Reason reason;

    private Verdict(
            String key,
            Long versionUs,
            Status status,
            Both<Told> told,
            Long firstSeenUs,
            Long decidedUs,
            Collection<String> columns,
            Reason reason) {
        this.key = key;
        this.versionUs = versionUs;
        this.status = status;
        this.told = told;
        this.firstSeenUs = firstSeenUs;
        this.decidedUs = decidedUs;
        this.columns = columns;
        this.reason = reason;
    }

    /** One about a version of a row. */
    static Verdict ofRow(
            String key,
            long versionUs,
            Status status,
            Entry entry,
            Long decidedUs,
            Collection<String> columns,
            Reason reason) {
        return new Verdict(
                key,
                versionUs,
                status,
                entry.told.copy(),
                entry.firstSeenUs,
                decidedUs,
                columns,
                reason);
    }

    /** One about the job as a whole. */
    static Verdict ofJob(Status status, Long decidedUs, Reason reason) {
        Both<Told> nothing = new Both<>(null, null);
        return new Verdict(null, null, status, nothing, null, decidedUs, List.of(), reason);
    }

    /** What is said. */
    public Status status() {
        return status;
    }

    /** The record's value, with its fields in their order. */
    public String toJson(String table) {
        Told first = told.of(Side.ONPREM);
        String hashDef = first == null ? null : first.hashDef;
        return new JsonLine()
                .text("table", table)
                .json("key", key)
                .number("version_us", versionUs)
                .text("status", status.name())
                .text("onprem_hash", of(Side.ONPREM, side -> side.rowHash))
                .text("cloud_hash", of(Side.CLOUD, side -> side.rowHash))
                .text("onprem_event_id", of(Side.ONPREM, side -> side.eventId))
                .text("cloud_event_id", of(Side.CLOUD, side -> side.eventId))
                .text("hash_def", hashDef != null ? hashDef : of(Side.CLOUD, side -> side.hashDef))
                .number("first_seen_us", firstSeenUs)
                .number("decided_us", decidedUs)
                .json("evidence", evidence())
                .toString();
    }

    private String of(Side side, Function<Told, String> field) {
        Told found = told.of(side);
        return found == null ? null : field.apply(found);
    }

    private String evidence() {
        JsonLine evidence = new JsonLine();
        for (Side side : Side.values()) {
            if (told.of(side) != null) {
                evidence.json(side.word(), place(told.of(side)));
            }
        }
        if (!columns.isEmpty()) {
            evidence.json(
                    "columns",
                    JsonLine.array(
                            columns.stream().map(JsonText::quoted).collect(Collectors.toList())));
        }
        if (reason != null) {
            reason.addTo(told, evidence);
        }
        return evidence.toString();
    }

    private static String place(Told told) {
        Place place = told.place;
        return new JsonLine()
                .text("op", told.op)
                .text("topic", place.topic)
                .number("partition", place.partition)
                .number("offset", place.offset)
                .text("file", place.file)
                .number("pos", place.pos)
                .toString();
    }
}
