"""The tables that a run prints, and what is to be reached."""

# (visibility, delivery) → most ms of the agent's own share at 2,000 writes a second, p99.
SHARE_GOALS = {("marked", "exactly-once"): 30, ("written", "exactly-once"): 20, ("written", "at-least-once"): 4}
RATIO_GOALS = {
    "agent to bare, idempotent": 0.8, "agent to the connector's best window": 10, "exactly-once to at-least-once": 0.9,
}  # fmt: skip
MEMORY_GOAL_MIB = 64
IDLE_GOAL = 0.01


def show(known):
    """Everything that is known, part by part."""
    for part, lines in (("backlog", _backlog), ("latency", _latency), ("memory", _memory), ("idle", _idle)):
        if part in known:
            conditions = known[part]["conditions"]
            load = conditions["load"]
            quick = ", QUICK: figures mean nothing" if conditions["quick"] else ""
            print(f"\n{part} ({conditions['date']}; {conditions['cpus']} processors for everybody; load {load[0]:.1f} before, {load[1]:.1f} after{quick})")
            lines(known[part]["found"])
    print()


def _verdict(value, goal, at_least=True):
    if goal is None:
        return ""
    reached = value >= goal if at_least else value <= goal
    return f"  goal {'≥' if at_least else '≤'} {goal}: {'reached' if reached else 'MISSED'}"


def _backlog(found):
    print(f"  {found['records']:,} records, {found['segment_bytes'] / 2**20:.0f} MiB of segments, {len(found['rounds'])} rounds")
    print(f"  {'who':<24} {'best/s':>10} {'median/s':>10} {'CPU s/1,000':>12} {'RssAnon MiB':>12} {'with its start':>15}")
    for name, rate in found["records_per_s"].items():
        last = found["rounds"][-1][name]
        memory = f"{last['peak_rss_anon_mib']:.1f}" if "peak_rss_anon_mib" in last else "-"
        start = f"{last['seconds_with_start']:.1f} s" if "seconds_with_start" in last else "-"
        print(f"  {name:<24} {rate['best']:>10,.0f} {rate['median']:>10,.0f} {last['cpu_s_per_1000']:>12.4f} {memory:>12} {start:>15}")
    peer = found["connector"]
    print(f"  {'connector, whole run':<24} {peer['records_per_s']:>10,.0f} {'':>23} {peer['peak_rss_anon_mib']:>12.1f} {peer['seconds_with_start']:>13.1f} s")
    print(f"  {'connector, best ' + str(peer['best_window_s']) + ' s':<24} {peer['best_records_per_s']:>10,.0f}")
    for what, ratio in found["ratios"].items():
        print(f"  {what:<40} {ratio:>6.2f}{_verdict(ratio, RATIO_GOALS.get(what))}")


def _latency(found):
    def cells(times):
        return " ".join(f"{times[name]:>9.1f}" for name in ("p50", "p99", "max")) if times else f"{'-':>9} {'-':>9} {'-':>9}"

    print(f"  {'ms':<42} {'acknowledged to consumer':^29}   {'the publisher’s share':^29}")
    print(f"  {'':<42} {'p50':>9} {'p99':>9} {'max':>9}   {'p50':>9} {'p99':>9} {'max':>9} {'CPU s/1,000':>12}")
    for one in found:
        name = f"{one['publisher']} {one['visibility']} {one['delivery']} {one['rate']}/s"
        share = one.get("share_ms")
        goal = SHARE_GOALS.get((one["visibility"], one["delivery"])) if one["rate"] == 2000 and share else None
        lost = "" if one["consumed"] == one["written"] else f"  {one['written'] - one['consumed']} did not come in time"
        verdict = _verdict(share["p99"], goal, at_least=False) if share else ""
        print(f"  {name:<42} {cells(one['whole_ms'])}   {cells(share)} {one['cpu_s_per_1000']:>12.4f}{verdict}{lost}")


def _memory(found):
    peak = found["peak_rss_anon_mib"]
    print(f"  {found['bytes'] / 2**30:.2f} GiB in {found['segments']} segments, {found['records']:,} records in {found['seconds']:.0f} s: ", end="")
    print(f"peak RssAnon {peak:.1f} MiB{_verdict(peak, MEMORY_GOAL_MIB, at_least=False)}; {found['segments_left']} segments left")


def _idle(found):
    share = found["cpu_share"]
    print(f"  {share * 100:.2f} % of a processor over {found['seconds']} s{_verdict(share, IDLE_GOAL, at_least=False)}")
