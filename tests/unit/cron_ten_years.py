#!/usr/bin/env python3
"""Ten years of cron lines in five zones against an implementation that shares nothing with ours.

The oracle walks every minute of UTC with Python's zoneinfo and applies the rules that lib/cron.h states: an
expression that begins with a star in its minute or hour fires at every matching reading of the clock; any
other fires once at the end of a gap that swallowed it, and in the first pass of a repeated hour only.
The program under test is $WROUGHT_BIN/tests/cron_list (from cron_list.c)."""
import datetime as dt
import os
import subprocess
import sys
import zoneinfo

CRON_LIST = os.path.join(os.environ.get("WROUGHT_BIN", "build"), "tests/cron_list")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns"]
# line, then its fields as predicates: minute, hour, day, month, weekday (0 = Sunday)
LINES = [
    ("*/15 * * * *", lambda t: t.minute % 15 == 0),
    ("30 2 * * *", lambda t: (t.hour, t.minute) == (2, 30)),
    ("5,35 1-3 * * *", lambda t: t.minute in (5, 35) and 1 <= t.hour <= 3),
    ("0 0 29 2 *", lambda t: (t.month, t.day, t.hour, t.minute) == (2, 29, 0, 0)),
    ("15 1 13 * fri", lambda t: (t.hour, t.minute) == (1, 15) and (t.day == 13 or t.isoweekday() == 5)),
    ("*/20 2 * 3,10,11 0", lambda t: t.minute % 20 == 0 and t.hour == 2 and t.month in (3, 10, 11)
     and t.isoweekday() == 7),
    ("59 23 31 12 *", lambda t: (t.month, t.day, t.hour, t.minute) == (12, 31, 23, 59)),
    ("0 */6 1-7 jan-jun mon", lambda t: t.minute == 0 and t.hour % 6 == 0 and t.month <= 6
     and (t.day <= 7 or t.isoweekday() == 1)),
]
FROM = dt.datetime(2019, 12, 31, 23, 59, tzinfo=dt.timezone.utc)
TO = dt.datetime(2029, 12, 31, 23, 59, tzinfo=dt.timezone.utc)
STEP = 300  # every line fires at minutes that a five-minute walk meets, but for 59 23


def readings(zone):
    """(utc seconds, local naive time, offset) of every minute that can matter: multiples of 5 and minute 59."""
    tz = zoneinfo.ZoneInfo(zone)
    first, last = int(FROM.timestamp()) + 60, int(TO.timestamp())
    for base in range(first - first % STEP, last + 1, STEP):
        aware = dt.datetime.fromtimestamp(base, tz)
        offset = int(aware.utcoffset().total_seconds())
        naive = aware.replace(tzinfo=None)
        if first <= base <= last:
            yield base, naive, offset
        if naive.minute == 55 and first <= base + 240 <= last:
            yield base + 240, naive + dt.timedelta(minutes=4), offset


def oracle(line, matches, minutes):
    star = line.split()[0].startswith("*") or line.split()[1].startswith("*")
    out, before, repeated_until = [], None, None
    for utc, local, offset in minutes:
        if before is not None and offset != before:
            if offset > before and not star:
                gap = local - dt.timedelta(seconds=offset - before)
                while gap < local:
                    if matches(gap):
                        out.append(utc)
                        break
                    gap += dt.timedelta(minutes=1)
            repeated_until = local + dt.timedelta(seconds=before - offset) if offset < before else None
        before = offset
        second_pass = repeated_until is not None and local < repeated_until
        if matches(local) and (star or not second_pass) and (not out or out[-1] != utc):
            out.append(utc)
    return out


def main():
    n = bad = 0
    for zone in ZONES:
        minutes = list(readings(zone))
        for line, matches in LINES:
            n += 1
            want = oracle(line, matches, minutes)
            run = subprocess.run([CRON_LIST, zone, str(int(FROM.timestamp())), str(int(TO.timestamp())), line],
                                 capture_output=True, text=True, check=False)
            got = [int(x) for x in run.stdout.split()]
            ok = run.returncode == 0 and got == want and len(want) > 0
            bad += not ok
            print(f"{'ok' if ok else 'not ok'} {n} - {zone}: {line} ({len(want)} firings)")
            if not ok:
                odd = sorted(set(got) ^ set(want))[:5]
                print(f"# {run.stderr.strip()} got {len(got)}; differ at {odd}")
    print(f"1..{n}")
    return bad != 0


sys.exit(main())
