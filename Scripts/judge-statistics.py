"""What scipy, numpy and pragmastat say of samples: the judge of lab's own statistics.

Reads a JSON array of questions on standard input and writes one of answers on standard output; each question has a
kind and what that kind needs. LabComparerTests asks, and compares to nine digits.
"""

import json
import sys

import numpy
import pragmastat
from scipy import stats


def signed_rank_p(values):
    """One-sided, exact: by scipy where no ranks are tied, else by all ways in which the signs can fall."""
    kept = [value for value in values if value != 0]
    if not kept:
        return 1.0
    sizes = sorted(abs(value) for value in kept)
    if len(set(sizes)) == len(sizes):
        return float(stats.wilcoxon(kept, alternative="greater", method="exact").pvalue)
    ranks = stats.rankdata(numpy.abs(kept))
    signs = (numpy.arange(2 ** len(kept))[:, None] >> numpy.arange(len(kept))) & 1
    sums = signs @ ranks
    seen = ranks[numpy.array(kept) > 0].sum()
    return float(numpy.mean(sums >= seen - 1e-9))


def center(question):
    values = question["values"]
    answer = {"median": float(numpy.median(values)), "center": float(pragmastat.center(values))}
    if len(values) > 1 and question["attained"] > 0:
        # Its margin is the first one at which the chance reaches the rate: asked with a rate just below
        # the one that lab attains, it gives the same.
        rate = max(question["attained"] * (1 - 1e-9), 2.0 ** (1 - len(values)))
        bounds = pragmastat.center_bounds(values, rate)
        answer["lower"], answer["upper"] = float(bounds.lower), float(bounds.upper)
    return answer


def answer(question):
    match question["kind"]:
        case "center":
            return center(question)
        case "signed rank":
            return {"p": signed_rank_p(question["values"])}
        case "sign":
            heads, tails = question["heads"], question["tails"]
            p = stats.binomtest(heads, heads + tails, 0.5, alternative="greater").pvalue if heads + tails else 1.0
            return {"p": float(p)}
        case "adjust":
            ps = question["values"]
            # Holm's own words: the largest of all (m - k + 1) p(k) up to here.
            order = numpy.argsort(ps, kind="stable")
            steps = numpy.maximum.accumulate([(len(ps) - k) * ps[index] for k, index in enumerate(order)])
            holm = numpy.empty(len(ps))
            holm[order] = numpy.minimum(steps, 1)
            return {"holm": holm.tolist(), "bh": stats.false_discovery_control(ps).tolist()}
        case "quantile":
            return {"value": float(numpy.quantile(question["values"], question["share"]))}
        case "cliff":
            after, before = numpy.array(question["values"]), numpy.array(question["before"])
            return {"value": float(numpy.sign(after[:, None] - before[None, :]).mean())}


json.dump([answer(question) for question in json.load(sys.stdin)], sys.stdout)
