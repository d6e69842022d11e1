"""Asks the optimiser and libraries that nobody here wrote the same questions, on fresh random data each run.

Estimators agree to 1e-9, weights to 1e-6, and no objective is worse than the library's by more than 1e-9 of it.
`weights.py PROGRAM` checks; `weights.py PROGRAM --bench` prints how long the libraries take; SEED=n repeats a run.
"""
import json
import os
import subprocess
import sys
import time
import warnings

import cvxpy as cp
import numpy as np
import pandas as pd
from pypfopt import BlackLittermanModel, HRPOpt
from scipy.cluster.hierarchy import linkage as scipy_linkage
from scipy.optimize import linprog
from scipy.spatial.distance import squareform
from sklearn.covariance import LedoitWolf

warnings.filterwarnings("ignore")
ESTIMATORS, WEIGHTS, OBJECTIVE, LIMITS = 1e-9, 1e-6, 1e-9, 1e-7
PRECISE = dict(solver="CLARABEL", tol_gap_abs=1e-13, tol_gap_rel=1e-13, tol_feas=1e-13, max_iter=500)


class Optimiser:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def market(rng, days, n):
    """Returns with a common factor, as prices have them."""
    factor = rng.normal(0, 0.008, (days, 1))
    return factor * rng.uniform(0.3, 1.6, n) + rng.normal(0, 1, (days, n)) * rng.uniform(0.005, 0.02, n)


def near(name, ours, theirs, tolerance):
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    worst = np.max(np.abs(ours.ravel() - theirs.ravel())) / max(np.max(np.abs(theirs)), 1e-300)
    assert worst <= tolerance, f"{name}: differs by {worst:.2e}, {tolerance:.0e} is allowed"
    return worst


def estimators(optimiser, rng):
    days, n = int(rng.integers(60, 520)), int(rng.integers(2, 61))
    returns = market(rng, days, n)
    rows = returns.tolist()
    plain = optimiser.ask(ask="sample_covariance", returns=rows)["covariance"]
    near("sample covariance", plain, 252 * np.cov(returns, rowvar=False), ESTIMATORS)
    ours, theirs = optimiser.ask(ask="ledoit_wolf", returns=rows), LedoitWolf().fit(returns)
    near("Ledoit-Wolf", ours["covariance"], 252 * theirs.covariance_, ESTIMATORS)
    near("shrinkage", [ours["shrinkage"]], [theirs.shrinkage_], ESTIMATORS)
    for kind in ["single", "complete", "average", "ward"]:
        ours = optimiser.ask(ask="hrp", returns=rows, linkage=kind)
        frame = pd.DataFrame(returns, columns=[f"A{i:02}" for i in range(n)])
        near(f"HRP {kind}", ours["weights"], list(HRPOpt(frame).optimize(kind).values()), ESTIMATORS)
        distance = np.sqrt(np.clip((1.0 - frame.corr().values) / 2.0, 0.0, 1.0))
        tree = scipy_linkage(squareform(distance, checks=False), kind)
        near(f"tree {kind}", np.array(ours["merges"])[:, 2], tree[:, 2], ESTIMATORS)


def recent_days(optimiser, rng):
    """numpy weighs the days itself."""
    days, n = int(rng.integers(60, 520)), int(rng.integers(2, 40))
    returns, regimes = market(rng, days, n), rng.uniform(-1, 1, days)
    half_life, regime, bandwidth = float(rng.uniform(20, 120)), float(rng.uniform(-1, 1)), float(rng.uniform(0.1, 0.6))
    weights = np.exp2(-np.arange(days)[::-1] / half_life) * np.exp(-0.5 * ((regimes - regime) / bandwidth) ** 2)
    weights /= weights.sum()
    ours = optimiser.ask(
        ask="weighted_covariance", returns=returns.tolist(), regimes=regimes.tolist(), half_life=half_life,
        regime=regime, bandwidth=bandwidth,
    )
    near("weighted covariance", ours["covariance"], np.cov(returns, rowvar=False, aweights=weights), ESTIMATORS)
    near("effective size", [ours["size"]], [1 / np.sum(weights**2)], ESTIMATORS)


def gives_way(optimiser, rng):
    """scipy says whether any weights keep the limits, and by how much caps must at least be widened."""
    n = int(rng.integers(4, 30))
    bounds = [[0.0, float(upper)] for upper in rng.uniform(1.5 / n, 0.6, n)]
    groups = []
    for kind in [rng.integers(0, 3, n), rng.integers(0, 4, n)]:
        for name in np.unique(kind):
            upper = float(rng.uniform(0.1, 0.6))
            lower = float(rng.uniform(0, 1.2) * upper / 2)
            groups.append({"members": np.flatnonzero(kind == name).tolist(), "lower": lower, "upper": upper})
    member = np.zeros((len(groups), n))
    for row, group in zip(member, groups):
        row[group["members"]] = 1
    lower, upper = (np.array([group[side] for group in groups]) for side in ["lower", "upper"])

    def missing(least):
        slack = np.eye(len(groups))
        found = linprog(
            np.concatenate([np.zeros(n), np.ones(2 * len(groups))]),
            A_ub=np.vstack([np.hstack([-member, -slack, 0 * slack]), np.hstack([member, 0 * slack, -slack])]),
            b_ub=np.concatenate([-least, upper]), A_eq=np.concatenate([np.ones(n), np.zeros(2 * len(groups))])[None],
            b_eq=[1], bounds=bounds + [(0, None)] * (2 * len(groups)),
        )
        assert found.status == 0, found.message
        return found.fun

    levels = [("full", lower), ("minima_halved", lower / 2), ("minima_dropped", 0 * lower)]
    level = next((name for name, least in levels if missing(least) <= 1e-8), "caps_widened")
    ours = optimiser.ask(ask="relax", bounds=bounds, groups=groups)
    assert ours.get("level") == level, f"relax n={n}: {ours} instead of {level}"
    if level == "caps_widened":
        # Each cap has a margin of 1e-7 beyond the smallest widening.
        least = missing(0 * lower)
        assert abs(ours["widened"] - least) <= 1e-6 + 2e-7 * len(groups), f"relax n={n}: {ours['widened']} for {least}"
    return level


def opinions(optimiser, rng):
    n = int(rng.integers(3, 40))
    covariance = 252 * LedoitWolf().fit(market(rng, 252, n)).covariance_
    weights = rng.dirichlet(np.ones(n))
    picked = rng.choice(n, max(1, n // 3), replace=False)
    q = rng.uniform(-0.05, 0.2, len(picked))
    exposure = np.eye(n)[picked]
    model = BlackLittermanModel(
        pd.DataFrame(covariance), pi=2.5 * covariance @ weights, P=exposure, Q=q, tau=0.05
    )
    views = [{"exposure": row.tolist(), "expected": value} for row, value in zip(exposure, q)]
    ours = optimiser.ask(
        ask="black_litterman", cov=covariance.tolist(), market=weights.tolist(), delta=2.5, views=views
    )
    near("Black-Litterman returns", ours["returns"], model.bl_returns().values, ESTIMATORS)
    near("Black-Litterman covariance", ours["covariance"], model.bl_cov().values, ESTIMATORS)


def problem(rng, n):
    returns = market(rng, 504, n)
    covariance = 252 * LedoitWolf().fit(returns).covariance_
    covariance = (covariance + covariance.T) / 2
    mu = rng.uniform(-0.02, 0.22, n)
    bounds = [[0.0, float(u)] for u in rng.uniform(0.15, 0.35, n)] if n > 9 else [[0.0, 1.0]] * n
    kinds = rng.integers(0, min(4, n), n), rng.integers(0, min(6, n), n)
    groups = []
    for kind in kinds:
        for name in np.unique(kind):
            members = np.flatnonzero(kind == name)
            share = len(members) / n
            groups.append({"members": members.tolist(), "lower": 0.5 * share, "upper": min(1.0, share + 0.15)})
    return returns, mu, covariance, bounds, groups


def constraints(w, bounds, groups, scale=1.0):
    rules = [cp.sum(w) == scale]
    rules += [w >= scale * np.array([b[0] for b in bounds]), w <= scale * np.array([b[1] for b in bounds])]
    for group in groups:
        total = cp.sum(w[group["members"]])
        rules += [total >= group["lower"] * scale, total <= group["upper"] * scale]
    return rules


def keeps(name, weights, bounds, groups):
    worst = max(abs(weights.sum() - 1), max(max(b[0] - w, w - b[1]) for b, w in zip(bounds, weights)))
    for group in groups:
        total = weights[group["members"]].sum()
        worst = max(worst, group["lower"] - total, total - group["upper"])
    assert worst <= LIMITS, f"{name}: a limit is broken by {worst:.2e}"


def compare(name, ours, theirs, objective, bounds, groups, unique=True):
    """`objective` is to be small."""
    assert "weights" in ours, f"{name}: refused as {ours.get('refused')}, the library has an answer"
    ours, theirs = np.array(ours["weights"]), np.asarray(theirs, float)
    keeps(name, ours, bounds, groups)
    worse = (objective(ours) - objective(theirs)) / abs(objective(theirs))
    assert worse <= OBJECTIVE, f"{name}: the objective is worse by {worse:.2e} of it"
    if unique:
        apart = np.max(np.abs(ours - theirs))
        assert apart <= WEIGHTS, f"{name}: weights differ by {apart:.2e}"


def frontier(optimiser, rng, n):
    returns, mu, covariance, bounds, groups = problem(rng, n)
    base = dict(mu=mu.tolist(), cov=covariance.tolist(), bounds=bounds, groups=groups)
    factor = np.linalg.cholesky(covariance)
    variance = lambda w: w @ covariance @ w
    w = cp.Variable(n)
    rules = constraints(w, bounds, groups)
    risk = cp.sum_squares(factor.T @ w)

    cp.Problem(cp.Minimize(risk), rules).solve(**PRECISE)
    calm = w.value
    compare(f"min_volatility n={n}", optimiser.ask(ask="min_volatility", **base), calm, variance, bounds, groups)

    a, b = [], []
    for group in groups:
        row = np.zeros(n)
        row[group["members"]] = 1
        a, b = a + [row, -row], b + [group["upper"], -group["lower"]]
    best = linprog(-mu, A_ub=np.array(a), b_ub=b, A_eq=np.ones((1, n)), b_eq=[1], bounds=bounds)
    ours = optimiser.ask(ask="highest_return", **base)
    compare(f"highest_return n={n}", ours, best.x, lambda w: -(mu @ w), bounds, groups, unique=False)

    wanted = rng.uniform(0, 2 / n, n)
    cp.Problem(cp.Minimize(cp.sum_squares(w - wanted)), rules).solve(**PRECISE)
    ours = optimiser.ask(ask="project_onto", wanted=wanted.tolist(), bounds=bounds, groups=groups)
    # A distance that may be nearly nothing has no relative error: it is measured beside the whole of 1.
    distance = lambda weights: 1 + np.sum((weights - wanted) ** 2)
    compare(f"project_onto n={n}", ours, w.value, distance, bounds, groups)

    target = float(mu @ calm + rng.uniform(0.2, 0.8) * (-best.fun - mu @ calm))
    cp.Problem(cp.Minimize(risk), rules + [mu @ w >= target]).solve(**PRECISE)
    ours = optimiser.ask(ask="efficient_return", target_return=target, **base)
    compare(f"efficient_return n={n}", ours, w.value, variance, bounds, groups)

    limit = float(np.sqrt(variance(w.value)))
    cp.Problem(cp.Maximize(mu @ w), rules + [cp.norm(factor.T @ w) <= limit]).solve(**PRECISE)
    ours = optimiser.ask(ask="efficient_risk", target_volatility=limit, **base)
    # The maximum is sharp in the return and flat in the weights: √1e-9 of curvature decides there.
    compare(f"efficient_risk n={n}", ours, w.value, lambda w: -(mu @ w), bounds, groups, unique=False)

    y, k = cp.Variable(n), cp.Variable(nonneg=True)
    sharpe = cp.Problem(
        cp.Minimize(cp.sum_squares(factor.T @ y)), constraints(y, bounds, groups, k) + [(mu - 0.02) @ y == 1]
    )
    sharpe.solve(**PRECISE)
    ours = optimiser.ask(ask="max_sharpe", risk_free=0.02, **base)
    ratio = lambda w: -(mu @ w - 0.02) / np.sqrt(variance(w))
    compare(f"max_sharpe n={n}", ours, y.value / k.value, ratio, bounds, groups)

    days, beta = returns[:250], 0.95
    tail = np.vstack([np.hstack([-days, -np.ones((250, 1)), -np.eye(250)])])
    wide = np.hstack([np.array(a), np.zeros((len(a), 251))])
    cost = np.concatenate([np.zeros(n), [1], np.full(250, 1 / ((1 - beta) * 250))])
    least = linprog(
        cost, A_ub=np.vstack([tail, wide]), b_ub=np.concatenate([np.zeros(250), b]),
        A_eq=np.concatenate([np.ones(n), np.zeros(251)])[None], b_eq=[1],
        bounds=bounds + [(None, None)] + [(0, None)] * 250,
    )
    ours = optimiser.ask(ask="min_cvar", returns=days.tolist(), beta=beta, **base)

    def loss(weights):
        losses = np.sort(-days @ weights)[::-1]
        share = (1 - beta) * 250
        whole = int(share)
        return (losses[:whole].sum() + (share - whole) * losses[whole]) / share

    compare(f"min_cvar n={n}", ours, least.x[:n], loss, bounds, groups, unique=False)


def bench(rng):
    def best(times):
        return 1e3 * min(times)

    def timed(work):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return best(times)

    for n in [200, 60]:
        returns, mu, covariance, bounds, groups = problem(rng, n)
        w = cp.Variable(n)
        risk = cp.quad_form(w, cp.psd_wrap(covariance))
        solve = cp.Problem(cp.Minimize(risk), constraints(w, bounds, groups) + [mu @ w >= 0.08])
        print(f"cvxpy, mean-variance with groups n={n}\t{timed(lambda: solve.solve(solver='CLARABEL')):.3f}\tms")
    frame, rows = pd.DataFrame(returns[:252]), returns[:252]
    print(f"PyPortfolioOpt, HRP n=60\t{timed(lambda: HRPOpt(frame).optimize()):.3f}\tms")
    print(f"scikit-learn, Ledoit-Wolf n=60 T=252\t{timed(lambda: LedoitWolf().fit(rows)):.3f}\tms")


def main():
    program, seed = sys.argv[1], int(os.environ.get("SEED") or time.time_ns() % 2**32)
    rng = np.random.default_rng(seed)
    if "--bench" in sys.argv:
        return bench(rng)
    optimiser = Optimiser(program)
    print(f"weights against PyPortfolioOpt, cvxpy, scipy and scikit-learn, SEED={seed}")
    rounds, levels = 0, set()
    for _ in range(int(os.environ.get("ROUNDS") or 8)):
        estimators(optimiser, rng)
        recent_days(optimiser, rng)
        levels |= {gives_way(optimiser, rng) for _ in range(10)}
        opinions(optimiser, rng)
        frontier(optimiser, rng, int(rng.integers(3, 61)))
        rounds += 1
    print(f"{rounds} rounds passed, 0 failed; limits gave way as {', '.join(sorted(levels))}")


main()
