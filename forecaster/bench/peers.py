"""Runs the forecaster and its peers over the same series and prints CPU seconds, sMAPE,
MASE and coverage of each. Called by peers.sh: peers.py FORECASTER TRAIN.csv TEST.csv"""

import collections
import csv
import logging
import os
import resource
import subprocess
import sys
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import numpy as np
import pandas as pd
from prophet import Prophet
from statsforecast import StatsForecast
from statsforecast.models import MSTL, AutoARIMA, AutoETS, SeasonalNaive

LEVELS = (80, 95)


def load(path):
    out = collections.OrderedDict()
    with open(path) as f:
        for row in csv.DictReader(f):
            out.setdefault(row["series"], []).append((int(row["timestamp"]), float(row["value"])))
    return out


def regular(points, step):
    """Values on a grid from the first to the last point, gaps filled by straight lines."""
    t = np.array([p[0] for p in points])
    grid = np.arange(t[0], t[-1] + 1, step)
    return grid, np.interp(grid, t, [p[1] for p in points])


def ours(binary, train, step, horizon):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = subprocess.run(
        [binary, "predict", "--step", f"{step}s", "--horizon", str(horizon), "--levels", "80,95", train],
        check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = {}
    for row in csv.DictReader(text.splitlines()):
        f = out.setdefault(row["series"], collections.defaultdict(list))
        f["t"].append(int(row["timestamp"]))
        f["mean"].append(float(row["median"]))
        for level in LEVELS:
            f[f"lo{level}"].append(float(row[f"lower{level}"]))
            f[f"hi{level}"].append(float(row[f"upper{level}"]))
    return out, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def nixtla(model):
    def run(grid, y, future, day):
        frame = pd.DataFrame({"unique_id": "s", "ds": pd.to_datetime(grid, unit="s"), "y": y})
        season = [day, 7 * day] if len(y) >= 14 * day else [day]
        sf = StatsForecast([model(season)], freq=f"{(grid[1] - grid[0]) // 60}min", n_jobs=1)
        f = sf.forecast(df=frame, h=len(future), level=list(LEVELS)).reset_index()
        name = [c for c in f.columns if c not in ("unique_id", "ds", "index") and "-" not in c][0]
        out = {"mean": f[name].to_numpy()}
        for level in LEVELS:
            out[f"lo{level}"], out[f"hi{level}"] = f[f"{name}-lo-{level}"].to_numpy(), f[f"{name}-hi-{level}"].to_numpy()
        return out
    return run


def prophet(grid, y, future, day):
    m = Prophet(interval_width=0.95, uncertainty_samples=500)
    m.fit(pd.DataFrame({"ds": pd.to_datetime(grid, unit="s"), "y": y}))
    frame = pd.DataFrame({"ds": pd.to_datetime(future, unit="s")})
    f = m.predict(frame)
    samples = m.predictive_samples(frame)["yhat"]
    out = {"mean": f["yhat"].to_numpy()}
    for level in LEVELS:
        tail = (100 - level) / 2
        out[f"lo{level}"], out[f"hi{level}"] = np.percentile(samples, tail, axis=1), np.percentile(samples, 100 - tail, axis=1)
    return out


PEERS = {
    "Prophet": prophet,
    "MSTL+AutoARIMA": nixtla(lambda s: MSTL(season_length=s, trend_forecaster=AutoARIMA())),
    "MSTL+AutoETS": nixtla(lambda s: MSTL(season_length=s, trend_forecaster=AutoETS(model="ZZN"))),
    "SeasonalNaive": nixtla(lambda s: SeasonalNaive(season_length=s[0])),
}


def measure(actual, f, scale):
    size = np.abs(actual) + np.abs(f["mean"])
    error = np.abs(actual - f["mean"])
    smape = 100 * np.mean(np.divide(2 * error, size, out=np.zeros_like(error), where=size > 0))
    inside = [100 * np.mean((actual >= f[f"lo{l}"] - 1e-9) & (actual <= f[f"hi{l}"] + 1e-9)) for l in LEVELS]
    return [smape, error.mean() / scale, *inside]


def main():
    binary, train_path, test_path = sys.argv[1:]
    train, test = load(train_path), load(test_path)
    first = next(iter(train.values()))
    step = int(np.median(np.diff([p[0] for p in first])))
    day = 86400 // step
    horizon = max((test[s][-1][0] - train[s][-1][0]) // step for s in test)
    forecasts = {"forecaster": ours(binary, train_path, step, horizon)}
    rows = collections.defaultdict(list)
    cpu = collections.defaultdict(float)
    cpu["forecaster"] = forecasts["forecaster"][1]
    for s, points in train.items():
        grid, y = regular(points, step)
        scale = np.mean(np.abs(y[day:] - y[:-day]))
        at = np.array([(t - grid[-1]) // step - 1 for t, _ in test[s]])
        actual = np.array([v for _, v in test[s]])
        if scale == 0:
            continue
        future = grid[-1] + step * np.arange(1, at.max() + 2)
        results = {}
        for name, run in PEERS.items():
            if name == "MSTL+AutoARIMA" and os.environ.get("FAST"):
                continue
            start = time.process_time()
            try:
                results[name] = run(grid, y, future, day)
            except Exception as e:  # a peer that fails on a series is not measured on it
                print(f"{name} failed on {s}: {e}", file=sys.stderr)
            cpu[name] += time.process_time() - start
        mine = forecasts["forecaster"][0].get(s)
        if mine:
            results["forecaster"] = {k: np.array(v) for k, v in mine.items()}
        for name, f in results.items():
            picked = {k: np.asarray(v)[at] for k, v in f.items()}
            rows[name].append(measure(actual, picked, scale))
    print(f"{'model':<16}{'series':>7}{'CPU-ms/series':>15}{'sMAPE':>8}{'MASE':>8}{'in 80 %':>9}{'in 95 %':>9}")
    for name in ["forecaster", *PEERS]:
        if rows[name]:
            m = np.mean(rows[name], axis=0)
            print(f"{name:<16}{len(rows[name]):>7}{1000 * cpu[name] / len(train):>15.1f}{m[0]:>8.2f}{m[1]:>8.3f}{m[2]:>9.1f}{m[3]:>9.1f}")


if __name__ == "__main__":
    main()
