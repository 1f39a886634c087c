"""What layers in 8-bit integers take of what they take in float, fitted to ncnn's own pairs of rows.

The benchmark runs seven of the networks in networks.py in 8-bit integers too. A pair's ratio is the mean of
one factor a feature, weighted by the share of the float time that the machine's fit lays on that feature; so
what a network is off by in float cancels out. Seven ratios tell seven factors apart only roughly: they are
pulled towards the common shape of all machines, times the machine's own median ratio.
"""

import statistics

from networks import FEATURES
from nnls import nnls

PULL = 0.4     # weight of the common shape against one network; tried 0.05 to 0.4, by the left-out errors
DAMP = 0.25    # relative errors beyond this count less
LEAST = 6      # networks, or nothing is said of the machine


def ratios(own, table):
    """Integer over float time, by network, of one row of the benchmark."""
    return {net: own[net + "_int8"] / own[net] for net in table
            if net in own and net + "_int8" in own}


def shares(coefficients, amounts):
    parts = [c * f for c, f in zip(coefficients, amounts)]
    return [part / sum(parts) for part in parts]


def predict(factors, coefficients, amounts):
    return sum(f * s for f, s in zip(factors, shares(coefficients, amounts)))


def fit(found, coefficients, table, shape=None):
    """`found`: ratio by network. Factors in the order of FEATURES."""
    middle = statistics.median(found.values())
    weights = dict.fromkeys(found, 1.0)
    factors = None
    for _ in range(4):
        rows = [[s * weights[net] / ratio for s in shares(coefficients, table[net])]
                for net, ratio in found.items()]
        targets = [weights[net] for net in found]
        for j in range(len(FEATURES)):
            row = [0.0] * len(FEATURES)
            row[j] = PULL / (middle * (shape[j] if shape else 1.0))
            rows.append(row)
            targets.append(PULL)
        factors = nnls(rows, targets)
        for net, ratio in found.items():
            error = abs(predict(factors, coefficients, table[net]) / ratio - 1)
            weights[net] = 1.0 if error < DAMP else (DAMP / error) ** 0.5
    return factors


def common_shape(rows, table):
    """Trimmed mean over machines, in units of each one's median ratio; `rows`: (ratios, coefficients)."""
    columns = []
    for found, coefficients in rows:
        middle = statistics.median(found.values())
        columns.append([f / middle for f in fit(found, coefficients, table)])
    shape = []
    for column in zip(*columns):
        column = sorted(column)
        quarter = len(column) // 4
        shape.append(statistics.mean(column[quarter:len(column) - quarter]))
    return shape


def left_out(found, coefficients, table, shape):
    """Relative error of each network's ratio under a fit to all the others, by size."""
    errors = []
    for net, ratio in found.items():
        others = {k: v for k, v in found.items() if k != net}
        factors = fit(others, coefficients, table, shape)
        errors.append(abs(predict(factors, coefficients, table[net]) / ratio - 1))
    return sorted(errors)


def describe(own, coefficients, table, shape, gpu):
    """The lines of a machine's file, and the median error of networks left out (None: unknown)."""
    found = ratios(own, table)
    if gpu or len(found) < LEAST:
        why = "GPU rows in 8-bit integers ran on the CPU" if gpu and found else "it has no such rows"
        return ["", f"# How fast it is in 8-bit integers is unknown: {why}."], None
    factors = fit(found, coefficients, table, shape)
    errors = left_out(found, coefficients, table, shape)
    middle, p90 = statistics.median(errors), errors[min(len(errors) - 1, int(0.9 * len(errors)))]
    return ["", "# What a layer in 8-bit integers takes of its time in float, by feature.", "[integers]",
            *(f"{name} = {round(f, 3):g}" for name, f in zip(FEATURES, factors)),
            f"networks = {len(found)}",
            f"left_out_median_error = {round(middle, 3):g}",
            f"left_out_p90_error = {round(p90, 3):g}",
            f'source = "fitted to {len(found)} networks in 8-bit integers and in float, the same rows"'], middle
