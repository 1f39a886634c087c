#!/usr/bin/env python3
"""Fits every machine of the library to ncnn's end-to-end times and writes its profile.

    profiles/fit/fit.py BENCHMARK.csv          fits, prints the errors, writes ../devices and ../clouds
    profiles/fit/fit.py BENCHMARK.csv --check  fits and fails when a file on disk differs

BENCHMARK.csv has the columns device,num_threads,powersave,gpu_device,model,min_ms,max_ms,avg_ms
(ncnn's benchmark page, BSD-3, as a table).

The model: a network's time is the sum over its layers of seven features (networks.py) times one
non-negative coefficient each. Coefficients minimise relative errors, with large ones damped (a network
that one machine runs oddly shall not bend the rest), and are pulled gently towards the mean shape of all
machines of the same sort (CPU or GPU), since twenty networks tell seven coefficients apart only so far.
What 8-bit integers change of it is in integers.py.
The error printed and stored is honest: each network's time as predicted by a fit that never saw it.
"""

import argparse
import csv
import pathlib
import statistics
import sys

import integers
from boards import BOARDS, CLOUDS
from networks import FEATURES, NETWORKS, features
from nnls import nnls

HERE = pathlib.Path(__file__).resolve().parent
TABLE = {name: features(name) for name in NETWORKS}
PULL = 0.1     # weight of the common shape against one network
DAMP = 0.25    # relative errors beyond this count less
# The thread that codec speeds were measured against, so that they scale to a board (docs/planner.md).
REFERENCE = ("Microsoft Azure Standard D64s v6", 1, None, -1)


def load(path):
    times = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            if row["model"].removesuffix("_int8") in TABLE and row["gpu_device"]:
                key = (row["device"], int(row["num_threads"]), int(row["powersave"]),
                       int(row["gpu_device"]))
                times.setdefault(key, {}).setdefault(row["model"], []).append(float(row["avg_ms"]))
    return {key: {net: statistics.median(v) for net, v in nets.items()}
            for key, nets in times.items()}


def find(times, row):
    """The one entry for (start of the device's name, threads, powersave or None for any, gpu)."""
    name, threads, powersave, gpu = row
    found = [key for key in times if key[0].startswith(name) and key[1] == threads and
             powersave in (None, key[2]) and (key[3] == gpu or (gpu >= 0 and key[3] >= 0))]
    if not found:
        sys.exit(f"fit.py: no rows for {row}")
    return found[0]


def floats(own):
    return {net: ms for net, ms in own.items() if net in TABLE}


def predict(coefficients, network):
    return sum(c * f for c, f in zip(coefficients, TABLE[network]))


def fit(times, shape=None):
    weights = dict.fromkeys(times, 1.0)
    coefficients = None
    for _ in range(4):
        rows = [[f * weights[net] / ms for f in TABLE[net]] for net, ms in times.items()]
        targets = [weights[net] for net in times]
        if shape:
            speed = statistics.median(ms / predict(shape, net) for net, ms in times.items())
            for j, part in enumerate(shape):
                row = [0.0] * len(FEATURES)
                row[j] = PULL / (speed * part)
                rows.append(row)
                targets.append(PULL)
        coefficients = nnls(rows, targets)
        for net, ms in times.items():
            error = abs(predict(coefficients, net) / ms - 1)
            weights[net] = 1.0 if error < DAMP else (DAMP / error) ** 0.5
    return coefficients


def common_shape(all_times):
    """Each coefficient's trimmed mean over machines, in units of the machine's MobileNetV2 time."""
    columns = []
    for times in all_times:
        found = fit(times)
        unit = predict(found, "mobilenet_v2")
        columns.append([c / unit for c in found])
    shape = []
    for column in zip(*columns):
        column = sorted(column)
        quarter = len(column) // 4
        shape.append(statistics.mean(column[quarter:len(column) - quarter]))
    return shape


def leave_one_out(times, shape):
    """Relative error of each network under a fit to all the others."""
    errors = {}
    for net, ms in times.items():
        others = {k: v for k, v in times.items() if k != net}
        errors[net] = predict(fit(others, shape), net) / ms - 1
    return errors


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(value):
    return f"{value:.6g}" if value != int(value) else f"{int(value)}"


def describe(machine, times, shapes):
    """The TOML text of one machine, and its line of the table."""
    key = find(times, machine["row"])
    own = floats(times[key])
    gpu = key[3] >= 0
    shape = shapes["gpu" if gpu else "cpu"]
    coefficients = fit(own, shape)
    errors = leave_one_out(own, shape)
    sizes = sorted(abs(e) for e in errors.values())
    inside = statistics.median(abs(predict(coefficients, n) / ms - 1) for n, ms in own.items())
    worst = max(errors, key=lambda n: abs(errors[n]))
    one = next((k for k in sorted(times) if k[0].startswith(machine["one"]) and k[1] == 1 and
                k[3] < 0), None) or key
    speed = times[find(times, REFERENCE)]["mobilenet_v2"] / times[one]["mobilenet_v2"]
    if one[1] != 1:
        speed /= min(one[1], 3)  # no one-thread row: threads scale about threefold at best
    p90 = sizes[min(len(sizes) - 1, int(0.9 * len(sizes)))]
    stat = {"median": inside, "loo": statistics.median(sizes), "p90": p90,
            "mv2": errors["mobilenet_v2"], "worst": worst, "worst_error": errors[worst]}
    where = "GPU (Vulkan)" if gpu else f"CPU, {key[1]} thread{'s' if key[1] > 1 else ''}"
    lines = [
        "# Written by profiles/fit/fit.py from boards.py and ncnn's benchmark; change it there.",
        f"name = {quoted(machine['name'])}",
        f"title = {quoted(machine['title'])}",
        f"memory_gb = {number(machine['memory_gb'])}",
        "",
        "# Milliseconds per 10^9 MAdds (convolutions by sort), per 10^6 bytes (weights of fully",
        "# connected layers; activations read and written) and per layer.",
        "[compute]",
        f"engine = {quoted('ncnn, ' + where)}",
        f"threads = {1 if gpu else key[1]}",
    ]
    lines += [f"{name} = {number(c)}" for name, c in zip(FEATURES, coefficients)]
    source = (f"fitted to the end-to-end times of {len(own)} networks in ncnn's benchmark (BSD-3): "
              f"'{' '.join(key[0].split())}', {where}")
    if "like" in machine:
        source += "; " + machine["like"]
    lines += [
        "# One thread's speed against the thread that codecs were timed on.",
        f"relative_speed = {number(round(speed, 4))}",
        f"source = {quoted(source)}",
        "",
        "# Relative errors of whole networks. Left out: predicted by a fit to all the others.",
        "[fit]",
        f"networks = {len(own)}",
        f"median_error = {number(round(stat['median'], 3))}",
        f"left_out_median_error = {number(round(stat['loo'], 3))}",
        f"left_out_p90_error = {number(round(stat['p90'], 3))}",
        f"left_out_mobilenet_v2_error = {number(round(stat['mv2'], 3))}",
        f"worst_network = {quoted(worst)}",
        f"worst_error = {number(round(errors[worst], 3))}",
    ]
    more, stat["integers"] = integers.describe(times[key], coefficients, TABLE, shapes["integers"], gpu)
    lines += more
    if "busy_w" in machine:
        lines += ["", "[power]", f"idle_w = {number(machine['idle_w'])}",
                  f"busy_w = {number(machine['busy_w'])}",
                  f"source = {quoted(machine['power_source'])}",
                  "", "[price]", f"euro = {number(machine['euro'])}",
                  f"source = {quoted(machine['price_source'])}"]
    if "euro_per_hour" in machine:
        lines += ["", "[rent]", f"euro_per_hour = {number(machine['euro_per_hour'])}",
                  f"vcpus = {machine['vcpus']}",
                  "# Share of each vCPU that the price includes, and euro per vCPU-hour beyond it.",
                  f"baseline = {number(machine['baseline'])}",
                  f"surplus_euro_per_vcpu_hour = {number(machine['surplus'])}"]
        for term, price in machine["reserved"]:
            lines.append(f"# reserved for {term}: {price} euro an hour")
        lines.append(f"source = {quoted(machine['rent_source'])}")
    return "\n".join(lines) + "\n", stat, len(own)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("csv")
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    args = parser.parse_args()
    times = load(args.csv)
    sorts = {"cpu": [v for k, v in times.items() if k[3] < 0 and len(floats(v)) >= 15],
             "gpu": [v for k, v in times.items() if k[3] >= 0 and len(floats(v)) >= 15]}
    shapes = {name: common_shape([floats(v) for v in found]) for name, found in sorts.items()}
    pairs = [(integers.ratios(own, TABLE), fit(floats(own), shapes["cpu"])) for own in sorts["cpu"]]
    shapes["integers"] = integers.common_shape(
        [pair for pair in pairs if len(pair[0]) >= integers.LEAST], TABLE)

    differs = []
    print(f"{'machine':24} nets  in-sample  left out: median    p90  mobilenet_v2  "
          f"integers  worst")
    for folder, machines in (("devices", BOARDS), ("clouds", CLOUDS)):
        for machine in machines:
            text, stat, networks = describe(machine, times, shapes)
            known = "unknown" if stat["integers"] is None else f"{stat['integers']:.1%}"
            print(f"{machine['name']:24} {networks:4} {stat['median']:10.1%} {stat['loo']:17.1%} "
                  f"{stat['p90']:6.0%} {stat['mv2']:+13.1%}  {known:>8}  {stat['worst']} "
                  f"{stat['worst_error']:+.0%}")
            path = HERE.parent / folder / f"{machine['name']}.toml"
            if not path.exists() or path.read_text() != text:
                differs.append(path.name)
                if not args.check:
                    path.write_text(text)
    if args.check and differs:
        sys.exit("fit.py: these would change: " + ", ".join(differs))


if __name__ == "__main__":
    main()
