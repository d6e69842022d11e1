"""Indicators and ratios against TA-Lib, empyrical, scipy and pyxirr, on new random series at every run.

`figures.py PROGRAM` checks; `figures.py --bench` prints how long these libraries take for what Steward reads of a series.
"""

import datetime
import json
import subprocess
import sys
import time

import empyrical
import numpy as np
import pyxirr
import scipy.optimize
import scipy.stats
import talib

TOLERANCE = 1e-9
# pyxirr stops looking for its root within 1e-9 of it; scipy looks for the same root to the last bit.
TOLERANCES = {"xirr of pyxirr": 2e-9}
RUNS = 25


def series(rng, shape):
    length = int(rng.integers(260, 2600))
    steps = rng.normal(0.0003, rng.uniform(0.002, 0.04), length)
    if shape == 1:
        steps[rng.integers(0, length)] = -0.45
    if shape == 2:
        steps[rng.integers(0, length, 40)] = 0.0
    return np.round(100 * np.cumprod(1 + np.clip(steps, -0.6, 0.6)), 6) + 0.01


def flows(rng):
    count = int(rng.integers(3, 40))
    days = np.sort(rng.choice(3600, count, replace=False))
    paid = -rng.uniform(100, 5000, count - 1)
    end = -paid.sum() * rng.uniform(0.7, 2.0)
    return [[int(day), float(round(amount, 4))] for day, amount in zip(days, [*paid, end])]


def paid_in(rng, closes):
    """Money that came or went at the end of some days, small beside the value."""
    return np.where(rng.random(len(closes)) < 0.05, rng.uniform(-0.2, 0.2, len(closes)) * closes, 0.0)


def expected(closes, benchmark, risk_free, paid, moved):
    x, y = np.diff(closes) / closes[:-1], np.diff(benchmark) / benchmark[:-1]
    count = min(len(x), len(y))
    upper, middle, lower = talib.BBANDS(closes, 20, 2, 2, 0)
    start = datetime.date(2000, 1, 1)
    dates = [start + datetime.timedelta(days=day) for day, _ in paid]
    # What a day earned is what it ends with, without what was paid in, over what it began with.
    earned = (closes - moved)[1:] / closes[:-1] - 1
    worst = np.sort(x)[: int(np.ceil(round(len(x) * 0.05, 9)))]
    return {
        "ema_50": talib.EMA(closes, 50)[-1],
        "ema_200": talib.EMA(closes, 200)[-1],
        "sma_50": talib.SMA(closes, 50)[-1],
        "rsi_14": talib.RSI(closes, 14)[-1],
        "bb_lower": lower[-1],
        "bb_middle": middle[-1],
        "bb_upper": upper[-1],
        "mean": scipy.stats.describe(x).mean,
        "sample_deviation": scipy.stats.describe(x).variance ** 0.5,
        "annual_return": empyrical.annual_return(x),
        "volatility": empyrical.annual_volatility(x),
        "sharpe": empyrical.sharpe_ratio(x, risk_free=risk_free),
        "sortino": empyrical.sortino_ratio(x, required_return=risk_free),
        "calmar": empyrical.calmar_ratio(x),
        "max_drawdown": empyrical.max_drawdown(x),
        "beta": scipy.stats.linregress(y[:count], x[:count]).slope,
        "correlation": scipy.stats.pearsonr(x[:count], y[:count]).statistic,
        "cvar_95": worst.mean(),
        "cumulative_return": empyrical.cum_returns_final(x),
        "twr": empyrical.cum_returns_final(earned),
        "year_high": talib.MAX(closes, 252)[-1],
        "year_low": talib.MIN(closes, 252)[-1],
        "momentum_30": talib.ROCP(closes, 30)[-1],
        "momentum_90": talib.ROCP(closes, 90)[-1],
        "xirr": root(paid),
        "xirr of pyxirr": pyxirr.xirr(dates, [amount for _, amount in paid]),
    }


def root(paid):
    """The only rate at which what was paid in, all of it before the end, is worth what there is at the end."""
    first = paid[0][0]
    worth = lambda rate: sum(amount * (1 + rate) ** (-(day - first) / 365) for day, amount in paid)
    return scipy.optimize.brentq(worth, -0.98, 9.9, xtol=1e-15, rtol=1e-15)


def bench():
    """The indicators of one security from ten years of bars, as `steward-score` reads them at every new bar."""
    closes = 100 * np.cumprod(1 + np.random.default_rng(7).normal(0.0003, 0.01, 2520))
    x = np.diff(closes[-252:]) / closes[-252:-1]
    works = {
        "TA-Lib, EMA, RSI and bands of 2520 bars": lambda: (
            talib.EMA(closes, 200), talib.RSI(closes, 14), talib.BBANDS(closes, 20, 2, 2, 0), talib.MAX(closes, 252)),
        "empyrical, volatility, Sharpe, Sortino, drawdown of a year": lambda: (
            empyrical.annual_volatility(x), empyrical.sharpe_ratio(x), empyrical.sortino_ratio(x), empyrical.max_drawdown(x)),
    }
    for name, work in works.items():
        times = []
        for _ in range(200):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        print(f"{name}\t{min(times) * 1e6:.3f}\tus")


def main(program):
    seed = int(np.random.SeedSequence().entropy % 2**32)
    rng = np.random.default_rng(seed)
    bad, worst = [], (0.0, "")
    for run in range(RUNS):
        closes = series(rng, run % 3)
        benchmark = series(rng, 0)
        length = min(len(closes), len(benchmark))
        closes, benchmark = closes[:length], benchmark[:length]
        risk_free, paid = float(rng.uniform(0, 0.0003)), flows(rng)
        moved = paid_in(rng, closes)
        question = {"closes": closes.tolist(), "benchmark": benchmark.tolist(), "risk_free": risk_free, "flows": paid,
                    "paid_in": moved.tolist()}
        answer = json.loads(subprocess.run([program], input=json.dumps(question), text=True, capture_output=True, check=True).stdout)
        for name, value in expected(closes, benchmark, risk_free, paid, moved).items():
            tolerance = TOLERANCES.get(name, TOLERANCE)
            found = answer[name.removesuffix(" of pyxirr")]
            far = float("inf") if found is None else abs(found - value) / max(1.0, abs(value))
            worst = max(worst, (far / tolerance, name))
            if not far <= tolerance:
                bad.append(f"run {run} {name}: {found} instead of {value}")
    print(f"figures: {RUNS} series, seed {seed}, {len(expected(closes, benchmark, risk_free, paid, moved))} figures each; "
          f"nearest to its tolerance: {worst[1]} at {worst[0]:.1e} of it")
    for line in bad:
        print(line, file=sys.stderr)
    sys.exit(1 if bad else 0)


bench() if "--bench" in sys.argv else main(sys.argv[1])
